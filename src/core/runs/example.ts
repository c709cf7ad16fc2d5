/** The run that the examples of the commands speak of: its second step failed. Tests have it under these ids. */
export const exampleRunId = '019301c0-cafe-7000-bea7-0000000000f1'
export const exampleTraceId = '019301c0-cafe-7000-bea7-0000000000f2'
export const exampleShortId = 'exampleTr'
export const exampleReport = '# Home: failed\n'
/** SHA-256 of `exampleReport`. */
export const exampleReportHash = '2b14f873f78e271b8b0783b84783b343daa735dc589343331dec21e148ebcbce'
/** A run that a CI executes and has not yet reported. */
export const exampleOpenRunId = '019301c0-cafe-7000-bea7-0000000000f3'
