/** A page as it is sent, with the policy that goes with it. */
export interface ShownPage {
  html: string
  headers: Record<string, string>
}

/** The pages that the OAuth server shows by itself. Pages are made in src/web, which knows how they look. */
export interface OAuthPages {
  /** What went wrong, in the words of the OAuth server. */
  error(message: string): ShownPage
  /** Where the code is typed in that another device shows. */
  enterCode(form: { action: string; xsrf: string; userCode: string; problem: string | undefined }): ShownPage
  /** That device may go on. */
  codeDone(): ShownPage
}
