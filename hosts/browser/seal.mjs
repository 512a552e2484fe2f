// Makes the folder that a web server is given, of the parts that the build has made:
//
//   node hosts/browser/seal.mjs PARTS WEB
//
// All but what is in PARTS/root goes to WEB/BUILD/, BUILD being a hash over all of it, so that an
// address never names bytes of two builds; WEB/index.html names the build, and WEB/sw.js lists it.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [parts, web] = process.argv.slice(2);
const served = JSON.parse(readFileSync(new URL('served.json', import.meta.url)));

const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

function files_of(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .sort();
}

// The policy without what an element of a page cannot set.
const in_page = served.headers['Content-Security-Policy'].replace(/; frame-ancestors [^;]*/, '');

const contents = files_of(parts).map(name => [name, readFileSync(join(parts, name))]);
const list = contents.map(([name, bytes]) => `${sha256(bytes)} ${name}\n`).join('');
const build = sha256(list + JSON.stringify(served)).slice(0, 16);

const sealed = contents.map(([name, bytes]) => {
  if (!name.startsWith('root/'))
    return [`${build}/${name}`, bytes];
  if (name === 'root/index.html')
    bytes = Buffer.from(String(bytes).replaceAll('@BUILD@', build).replace('@POLICY@', in_page));
  return [name.slice(5), bytes];
});

const listed = Object.fromEntries(sealed.filter(([name]) => name !== 'sw.js')
  .map(([name, bytes]) => [name, sha256(bytes)]));
const constants = `const BUILD = ${JSON.stringify(build)};\n` +
                  `const SERVED = ${JSON.stringify(served)};\n` +
                  `const FILES = ${JSON.stringify(listed, null, 1)};\n`;

rmSync(web, { recursive: true, force: true });
for (const [name, bytes] of sealed) {
  mkdirSync(join(web, name, '..'), { recursive: true });
  writeFileSync(join(web, name), name === 'sw.js' ? constants + bytes : bytes);
}
