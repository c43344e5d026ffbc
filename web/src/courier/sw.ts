/** Keeps the courier page's shell on the phone, so that it opens in a valley without a network. Data never pass here. */
/// <reference lib="webworker" />

const scope = globalThis as unknown as ServiceWorkerGlobalScope;

// Filled in at build time with the page's hashed files and a digest of that list.
declare const __SHELL_FILES__: string[];
declare const __SHELL_VERSION__: string;

const PAGE = "/courier";
const CACHE = `courier-${__SHELL_VERSION__}`;
const PATIENCE_MS = 4_000;

scope.addEventListener("install", (event) => {
  const fill = caches
    .open(CACHE)
    .then((cache) => cache.addAll([PAGE, ...__SHELL_FILES__].map((url) => new Request(url, { cache: "reload" }))));
  event.waitUntil(fill.then(() => scope.skipWaiting()));
});

scope.addEventListener("activate", (event) => {
  const tidy = caches
    .keys()
    .then((names) =>
      Promise.all(
        names.filter((name) => name.startsWith("courier-") && name !== CACHE).map((name) => caches.delete(name)),
      ),
    );
  event.waitUntil(tidy.then(() => scope.clients.claim()));
});

/** The page itself: the server's when it answers soon, else the kept one. */
async function page(request: Request): Promise<Response> {
  const kept = () => caches.match(PAGE, { cacheName: CACHE });
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const fresh = await fetch(request, { signal: stop.signal });
    return fresh.ok ? fresh : ((await kept()) ?? fresh);
  } catch {
    return (await kept()) ?? Response.error();
  } finally {
    clearTimeout(timer);
  }
}

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.location.origin) return;
  if (request.mode === "navigate" && url.pathname.replace(/\/$/, "") === PAGE) event.respondWith(page(request));
  else if (__SHELL_FILES__.includes(url.pathname)) {
    event.respondWith(
      caches.match(request, { cacheName: CACHE, ignoreVary: true }).then((kept) => kept ?? fetch(request)),
    );
  }
});
