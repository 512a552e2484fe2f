// Where the store's two logs are: the Origin Private File System, or IndexedDB where that has no
// synchronous access. Bytes are moved, and nothing is known about them.
//
//   write, clear    at once; 0, E_FULL or E_IO
//   barrier         what was written before is there before what is written after
//   flush           a promise: what has been written is on the disk; 0, E_FULL or E_IO

const E_FULL = -5, E_IO = -11;
const FOLDER = 'vyoma', NAMES = ['log0', 'log1'];
const STEP = 256 * 1024; // how much a file grows at a time; what is kept back for freeing room

const code_of = error => error?.name === 'QuotaExceededError' ? E_FULL : E_IO;

function attempt(what) {
  try {
    what();
    return 0;
  } catch (error) {
    return code_of(error);
  }
}

// --- the Origin Private File System

class Opfs {
  constructor(handles) {
    this.handles = handles;
    this.sizes = handles.map(handle => handle.getSize());
    this.dirty = [false, false];
    this.blocks = true; // a flush holds up who asks for it
  }

  size(file) { return this.sizes[file]; }

  async read(file, at, len) {
    const bytes = new Uint8Array(Math.max(0, Math.min(len, this.sizes[file] - at)));
    return bytes.subarray(0, this.handles[file].read(bytes, { at }));
  }

  // A file is longer than its log by up to two steps of zeros, so that an app can still delete
  // when there is no room left.
  write(file, at, bytes, frees) {
    const end = at + bytes.length;
    return attempt(() => {
      if (end + (frees ? 0 : STEP) > this.sizes[file])
        this.#grow(file, end + 2 * STEP);
      if (this.handles[file].write(bytes, { at }) !== bytes.length)
        throw new DOMException('a short write', 'QuotaExceededError');
      this.dirty[file] = true;
    });
  }

  #grow(file, size) {
    this.handles[file].truncate(size);
    this.sizes[file] = size;
  }

  clear(file) {
    return attempt(() => {
      this.#grow(file, 0);
      this.dirty[file] = true;
    });
  }

  barrier() {
    return attempt(() => {
      for (const file of [0, 1])
        if (this.dirty[file]) {
          this.handles[file].flush();
          this.dirty[file] = false;
        }
    });
  }

  async flush() { return this.barrier(); }
}

// The worker of a page that is being reloaded may hold them a moment longer.
async function access(file) {
  for (let tries = 0; ; tries++) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (error.name !== 'NoModificationAllowedError' || tries === 35)
        throw error;
      await new Promise(resolve => setTimeout(resolve, Math.min(5 * 2 ** tries, 100)));
    }
  }
}

// Our files there, not yet opened. Null: this browser, or this kind of window, has none. What fails
// later is no reason to look elsewhere: there may be data here.
async function find_files() {
  if (!self.FileSystemFileHandle?.prototype.createSyncAccessHandle)
    return null;
  const root = await navigator.storage.getDirectory().catch(() => null);
  if (!root)
    return null;
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  return Promise.all(NAMES.map(name => folder.getFileHandle(name, { create: true })));
}

// --- IndexedDB: a row is a run of bytes, its key [file, where it begins]. What is written waits
// for the next transaction, and a transaction is there whole or not at all.

const WAITING_MOST = 128 * 1024 * 1024;

const settled = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

class Database {
  constructor(db, sizes) {
    this.db = db;
    this.sizes = sizes;
    this.waiting = []; // { file, at, parts, len } or { file }: it is cleared
    this.waiting_bytes = 0;
    this.failed = 0;
    this.blocks = false;
  }

  size(file) { return this.sizes[file]; }

  // From the row that `at` lies in to its end.
  async read(file, at) {
    const rows = this.db.transaction('rows').objectStore('rows');
    const cursor = await settled(rows.openCursor(
      IDBKeyRange.bound([file, 0], [file, at]), 'prev'));
    if (!cursor)
      return new Uint8Array(0);
    return cursor.value.subarray(at - cursor.key[1]);
  }

  // After a transaction that failed, only what makes room is taken until one succeeds.
  write(file, at, bytes, frees) {
    if ((this.failed && !frees) || this.waiting_bytes > WAITING_MOST)
      return this.failed || E_FULL;
    const last = this.waiting.at(-1);
    if (last?.parts && last.file === file && last.at + last.len === at) {
      last.parts.push(bytes.slice());
      last.len += bytes.length;
    } else {
      this.waiting.push({ file, at, parts: [bytes.slice()], len: bytes.length });
    }
    this.waiting_bytes += bytes.length;
    this.sizes[file] = Math.max(this.sizes[file], at + bytes.length);
    return 0;
  }

  clear(file) {
    this.waiting = this.waiting.filter(row => row.file !== file);
    this.waiting_bytes = this.waiting.reduce((sum, row) => sum + (row.len ?? 0), 0);
    this.waiting.push({ file });
    this.sizes[file] = 0;
    return 0;
  }

  barrier() { return 0; } // transactions end in the order in which they began

  async flush() {
    const rows = this.waiting, bytes = this.waiting_bytes;
    if (!rows.length)
      return this.failed;
    this.waiting = [];
    this.waiting_bytes = 0;
    this.failed = await this.#commit(rows).then(() => 0, code_of);
    if (this.failed) { // once more with the next
      this.waiting = rows.concat(this.waiting);
      this.waiting_bytes += bytes;
    }
    return this.failed;
  }

  #commit(rows) {
    return new Promise((resolve, reject) => {
      const transaction = this.db.transaction('rows', 'readwrite', { durability: 'strict' });
      const store = transaction.objectStore('rows');
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
      for (const { file, at, parts, len } of rows) {
        if (!parts) {
          store.delete(IDBKeyRange.bound([file, 0], [file, Infinity]));
          continue;
        }
        const bytes = new Uint8Array(len);
        let end = 0;
        for (const part of parts) {
          bytes.set(part, end);
          end += part.length;
        }
        store.put(bytes, [file, at]);
      }
    });
  }
}

async function open_database() {
  const request = indexedDB.open(FOLDER, 1);
  request.onupgradeneeded = () => request.result.createObjectStore('rows');
  const db = await settled(request);
  const sizes = [];
  for (const file of [0, 1]) {
    const rows = db.transaction('rows').objectStore('rows');
    const cursor = await settled(rows.openCursor(
      IDBKeyRange.bound([file, 0], [file, Infinity]), 'prev'));
    sizes.push(cursor ? cursor.key[1] + cursor.value.length : 0);
  }
  return new Database(db, sizes);
}

// alone: a promise that we are the only one, which the files are looked for beside.
export async function open_disk(alone) {
  const files = await find_files();
  await alone;
  return files ? new Opfs(await Promise.all(files.map(access))) : open_database();
}
