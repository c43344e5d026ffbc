/** This phone's own store (IndexedDB): the session, the day pack, events and pictures that wait. */
import type { Kept, Media } from "./types.ts";

const NAME = "dieutin-courier";
type Table = "kept" | "events" | "media";

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((done, fail) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("kept");
      asked.result.createObjectStore("events", { keyPath: "event_id" });
      asked.result.createObjectStore("media", { keyPath: "sha256" });
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => {
      opened = null;
      fail(asked.error ?? new Error("IndexedDB"));
    };
  });
  return opened;
}

/** Runs requests in one transaction and gives the result of the last one returned. */
async function within<T>(
  tables: Table[],
  mode: IDBTransactionMode,
  work: (of: (table: Table) => IDBObjectStore) => IDBRequest<T> | void,
): Promise<T | undefined> {
  const database = await open();
  return new Promise((done, fail) => {
    const transaction = database.transaction(tables, mode);
    const request = work((table) => transaction.objectStore(table));
    transaction.oncomplete = () => done(request?.result);
    transaction.onerror = () => fail(transaction.error ?? new Error("IndexedDB"));
    transaction.onabort = () => fail(transaction.error ?? new Error("IndexedDB"));
  });
}

/** A single remembered value, null when absent. */
export async function recall<T>(key: string): Promise<T | null> {
  return (await within<T>(["kept"], "readonly", (of) => of("kept").get(key) as IDBRequest<T>)) ?? null;
}

/** Remembers one value; null forgets it. */
export async function remember(key: string, value: unknown): Promise<void> {
  await within(
    ["kept"],
    "readwrite",
    (of) => void (value === null ? of("kept").delete(key) : of("kept").put(value, key)),
  );
}

/** All events on this phone. */
export async function events(): Promise<Kept[]> {
  return (await within<Kept[]>(["events"], "readonly", (of) => of("events").getAll() as IDBRequest<Kept[]>)) ?? [];
}

/**
 * Stores new events with the next sequence numbers and their pictures, all or nothing.
 * The number is taken in the same transaction, so two tabs never share one.
 */
export async function add(drafts: Omit<Kept, "device_seq">[], media: Media[]): Promise<Kept[]> {
  const made: Kept[] = [];
  await within(["kept", "events", "media"], "readwrite", (of) => {
    const last = of("kept").get("seq") as IDBRequest<number | undefined>;
    last.onsuccess = () => {
      let seq = last.result ?? 0;
      for (const draft of drafts) {
        seq += 1;
        const event: Kept = { ...draft, device_seq: seq };
        made.push(event);
        of("events").put(event);
      }
      media.forEach((one) => of("media").put(one));
      of("kept").put(seq, "seq");
    };
  });
  return made;
}

/** Writes events back after their state changed. */
export async function update(changed: Kept[]): Promise<void> {
  await within(["events"], "readwrite", (of) => changed.forEach((event) => of("events").put(event)));
}

/** Forgets events by id. */
export async function forget(ids: string[]): Promise<void> {
  await within(["events"], "readwrite", (of) => ids.forEach((id) => of("events").delete(id)));
}

/** Pictures still to upload. */
export async function media(): Promise<Media[]> {
  return (await within<Media[]>(["media"], "readonly", (of) => of("media").getAll() as IDBRequest<Media[]>)) ?? [];
}

/** Forgets one uploaded picture. */
export async function forgetMedia(sha: string): Promise<void> {
  await within(["media"], "readwrite", (of) => void of("media").delete(sha));
}
