// An app's folder on the server that the page came from.
import { take_first } from './first.js';

const E_NOENT = -6, E_IO = -11;
const MANIFEST_MOST = 32 * 1024 + 1, MODULE_MOST = 64 * 1024 * 1024;

class NotRead extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

async function get(address, most) {
  const first = await take_first(address);
  if (first)
    return first;
  const answer = await fetch(address);
  if (!answer.ok)
    throw new NotRead(answer.status === 404 ? E_NOENT : E_IO, `${answer.status}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes.length > most)
    throw new NotRead(E_IO, `is longer than ${most} bytes`);
  return bytes;
}

// The bytes of the app's module; none when the manifest is no good, which is the core's to say.
// path_of: the manifest's bytes to the module's path, or null.
export async function read_app(name, path_of) {
  const folder = new URL(`apps/${name}/`, self.location);
  const manifest = await get(new URL('vyoma.toml', folder), MANIFEST_MOST).catch(error => {
    throw error.code === E_NOENT ? new NotRead(E_NOENT, `there is no app called ${name}`)
      : new NotRead(E_IO, `${name} has no readable vyoma.toml: ${error.message}`);
  });
  const path = path_of(manifest);
  if (path === null)
    return new Uint8Array(0);
  const address = new URL(path.split('/').map(encodeURIComponent).join('/'), folder);
  if (!address.href.startsWith(folder.href))
    throw new NotRead(E_IO, `module ${path}: lies outside of the app's folder`);
  return get(address, MODULE_MOST).catch(error => {
    throw new NotRead(E_IO, `module ${path}: ${error.message}`);
  });
}
