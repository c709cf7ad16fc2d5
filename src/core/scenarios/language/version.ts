import { runtimeDigest } from '../runtime.generated.ts'

/** The compiler's version. The runtime is inlined in every spec, so its digest is part of it: same hash, same bytes. */
export const compilerVersion = `1.0.0+${runtimeDigest}`
