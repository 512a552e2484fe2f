// Makes the folder that a web server is given, of the parts that the build has made:
//
//   node hosts/browser/seal.mjs PARTS WEB
//
// All but what is in PARTS/root goes to WEB/BUILD/, BUILD being a hash over all of it, so that an
// address never names bytes of two builds; WEB/index.html names the build, and WEB/sw.js lists it.
// A script that the page or a worker begins with has in it what it imports.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { join_modules } from './join.mjs';

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

const ENTRIES = ['core-worker.js', 'app-worker.js', 'page.js'];
// Those that are not only ours to write, and the one that runs before page.js is there.
const stands_alone = name => name === 'start.js' || name.endsWith('.mjs');

// The parts, the modules of each entry in one.
function joined(files) {
  const texts = new Map(files), within = new Set();
  const read = name => {
    if (!texts.has(name))
      throw new Error(`there is no module ${name}`);
    if (stands_alone(name))
      return null;
    within.add(name);
    return String(texts.get(name));
  };
  for (const entry of ENTRIES)
    texts.set(entry, Buffer.from(join_modules(entry, read)));
  return [...texts].filter(([name]) => ENTRIES.includes(name) || !within.has(name));
}

// boot.toml and the files of the apps that it names (page/first.js reads this). The core reads
// boot.toml; what is missing here is only fetched later.
function first(files) {
  const boot = String(files.find(([name]) => name === 'boot.toml')[1]);
  const apps = [...boot.matchAll(/^name *= *"([^"]+)"/gm)].map(hit => `apps/${hit[1]}/`);
  const packed = files.filter(([name]) => name === 'boot.toml' || apps.some(app => name.startsWith(app)));
  const lengths = Object.fromEntries(packed.map(([name, bytes]) => [name, bytes.length]));
  return ['first.bin', Buffer.concat([Buffer.from(JSON.stringify(lengths) + '\n'),
                                      ...packed.map(([, bytes]) => bytes)])];
}

const contents = joined(files_of(parts).map(name => [name, readFileSync(join(parts, name))]));
contents.push(first(contents));
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
