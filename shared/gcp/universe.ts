/**
 * Client options that say which Google cloud this is. Without them every client asks its credentials, which looks for a
 * metadata server on each cold start, and on a machine that has none waits for it in vain.
 */
export const googleUniverse = { clientOptions: { universeDomain: 'googleapis.com' } } as const;
