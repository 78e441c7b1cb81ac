/**
 * Asks whether the server can be reached before a part of the page is imported. Browsers remember for the life of the
 * page that an import has failed (until WHATWG issue 6768 has arrived in all of them), and so it must not be tried in vain.
 */

/** Import, if the server answers; else reject, with nothing remembered. */
export async function ifReachable<T>(load: () => Promise<T>): Promise<T> {
  await fetch(import.meta.url, { method: 'HEAD', cache: 'no-store' })
  return load()
}
