// What the system starts with comes in one file, that the build has made of boot.toml and the
// folders of the apps which that names. Each of its files is given once: who reads an app again
// reads what the server has. A folder without it has the files themselves.
const encoded = name => name.split('/').map(encodeURIComponent).join('/');

// A line of JSON, { NAME: LENGTH, ... }, and behind it the bytes in that order.
function unpack(bytes) {
  const end = bytes.indexOf(10), files = new Map();
  let at = end + 1;
  for (const [name, len] of Object.entries(JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))))) {
    files.set(new URL(encoded(name), self.location).href, bytes.subarray(at, at + len));
    at += len;
  }
  return files;
}

async function fetch_files() {
  const answer = await fetch('first.bin');
  return answer.ok ? unpack(new Uint8Array(await answer.arrayBuffer())) : new Map();
}

const files = fetch_files().catch(() => new Map());

// The bytes, nobody else's; or null: they have to be fetched.
export async function take_first({ href }) {
  const first = await files, bytes = first.get(href);
  first.delete(href);
  return bytes?.slice() ?? null;
}
