// Serves a folder to this machine alone, with the headers that the page needs; plain: without, as
// a server that cannot set any.
//
//   node hosts/browser/serve.mjs FOLDER [PORT [plain]]
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, resolve, sep } from 'node:path';

const [folder, port = '8000', plain] = process.argv.slice(2);
const root = resolve(folder ?? 'out/web');
const served = JSON.parse(await readFile(new URL('served.json', import.meta.url)));
// Addresses of a build never change what they name.
const cache_of = path => /^\/[0-9a-f]{16}\//.test(path) ? 'max-age=31536000, immutable' : 'no-cache';
const headers = plain ? {} : served.headers;

async function answer(request, response) {
  const refuse = code => { response.writeHead(code, headers); response.end(); };
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(405);
  let path;
  try {
    path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
  } catch {
    return refuse(400);
  }
  const file = normalize(join(root, path.endsWith('/') ? path + 'index.html' : path));
  if (!file.startsWith(root + sep) || path.includes('\0'))
    return refuse(404);
  try {
    const bytes = await readFile(file);
    response.writeHead(200, {
      ...headers, 'Cache-Control': cache_of(path),
      'Content-Type': served.types[extname(file).slice(1)] ?? 'application/octet-stream' });
    response.end(bytes);
  } catch {
    refuse(404);
  }
}

const server = createServer(answer);
server.on('error', error => { console.error(`serve: ${error.message}`); process.exit(1); });
server.listen(Number(port), '127.0.0.1', () =>
  console.log(`Vyoma is at http://localhost:${server.address().port}/ (Ctrl-C ends it)`));
