// Serves a folder to this machine alone, with the headers that the page needs.
//
//   node hosts/browser/serve.mjs FOLDER [PORT]
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, resolve, sep } from 'node:path';

const [folder, port = '8000'] = process.argv.slice(2);
const root = resolve(folder ?? 'out/web');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript',
                '.mjs': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm',
                '.toml': 'text/plain; charset=utf-8' };
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; " +
            "connect-src 'self' ws://localhost:* ws://127.0.0.1:* wss:; style-src 'self' 'unsafe-inline'; base-uri 'none'; " +
            "form-action 'none'; frame-ancestors 'none'";
const HEADERS = { 'Cross-Origin-Opener-Policy': 'same-origin',
                  'Cross-Origin-Embedder-Policy': 'require-corp',
                  'Cross-Origin-Resource-Policy': 'same-origin',
                  'Content-Security-Policy': CSP,
                  'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
                  'Cache-Control': 'no-cache' };

async function answer(request, response) {
  const refuse = code => { response.writeHead(code, HEADERS); response.end(); };
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
    response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES[extname(file)] ??
                                                          'application/octet-stream' });
    response.end(bytes);
  } catch {
    refuse(404);
  }
}

const server = createServer(answer);
server.on('error', error => { console.error(`serve: ${error.message}`); process.exit(1); });
server.listen(Number(port), '127.0.0.1', () =>
  console.log(`Vyoma is at http://localhost:${server.address().port}/ (Ctrl-C ends it)`));
