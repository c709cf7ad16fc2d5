import type { Mail } from '../core/context.ts'

// The mails about signing in. Links stand on lines of their own.

const letter = (to: string, subject: string, ...paragraphs: string[]): Mail => ({
  to,
  subject,
  text: `${paragraphs.join('\n\n')}\n\nMolar\n`,
})

const notYou = 'If this was not you, do nothing: without the link nothing happens.'

export const verify = (to: string, link: string): Mail =>
  letter(
    to,
    'Confirm your e-mail address',
    'Confirm that this address is yours. The link is good for a day.',
    link,
    notYou,
  )

export const link = (to: string, url: string): Mail =>
  letter(to, 'Your link to sign in', 'Sign in with this link. It is good for 15 minutes, once.', url, notYou)

export const reset = (to: string, url: string): Mail =>
  letter(to, 'Choose a new password', 'Choose a new password here. The link is good for 30 minutes, once.', url, notYou)

export const passwordChanged = (to: string): Mail =>
  letter(
    to,
    'Your password was changed',
    'The password of your account was changed, and every other session was ended.',
    'If this was not you, choose a new one now with “Forgot your password?” on the page where you sign in.',
  )

export const emailChanging = (to: string, next: string): Mail =>
  letter(
    to,
    'Your e-mail address is about to change',
    `Somebody who is signed in as you wants to change the address of your account to ${next}. It changes once that address is confirmed.`,
    'If this was not you, change your password and end all sessions.',
  )

export const alreadyThere = (to: string, signIn: string): Mail =>
  letter(
    to,
    'You have an account already',
    'Somebody, perhaps you, signed up with this address, which has an account already. Sign in here, with a new password if need be.',
    signIn,
    'If this was not you, do nothing.',
  )

export const secondFactorChanged = (to: string, on: boolean): Mail =>
  letter(
    to,
    on ? 'Two-factor authentication is on' : 'Two-factor authentication is off',
    on
      ? 'From now on your account asks for a code of your app when you sign in.'
      : 'Your account no longer asks for a code when you sign in.',
    'If this was not you, change your password and end all sessions.',
  )
