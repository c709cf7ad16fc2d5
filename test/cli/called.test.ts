import t from 'tap'
import { calledAs, verbOf } from '../../src/cli/called.ts'

t.test('hints say what this user can type: never npx molar where that is another package', async (t) => {
  t.equal(calledAs({}), 'molar')
  t.equal(calledAs({ npm_command: 'run-script', npm_package_name: '@molar/guard' }), 'npx molar')
  t.equal(calledAs({ npm_command: 'exec', npm_package_name: 'shop' }), 'npx @molar/guard')
  t.equal(calledAs({ npm_command: 'exec' }), 'npx @molar/guard')
  t.equal(verbOf({ noun: 'runs', verb: 'startMany' }, {}), 'molar runs start-many')
})
