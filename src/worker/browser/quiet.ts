/**
 * Flags beside Playwright's own (which already stop background networking, updates, sync and first-run pages).
 * Playwright joins no feature lists, and Chromium reads only the last --disable-features: so none of those here.
 */
export const quietArguments: readonly string[] = [
  '--disable-quic',
  '--disable-domain-reliability',
  '--disable-client-side-phishing-detection',
  '--disable-crash-reporter',
  '--no-pings',
  '--disable-print-preview',
  '--dns-prefetch-disable',
  '--disable-webrtc-hw-encoding',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--mute-audio',
  '--font-render-hinting=none',
]
