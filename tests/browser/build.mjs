#!/usr/bin/env node
// The folder of the page as it is made of its parts, without a browser.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync,
         writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { join_modules } from '../../hosts/browser/join.mjs';
import { check, finish } from './check.mjs';

const work = mkdtempSync(join(tmpdir(), 'vyoma-build-'));

function put(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

// --- modules in one

const together = (entry, modules) =>
  join_modules(entry, name => {
    if (name.endsWith('.mjs'))
      return null;
    if (!(name in modules))
      throw new Error(`there is no module ${name}`);
    return modules[name];
  });

async function value_of(modules) {
  globalThis.seen = [];
  const text = together('main.js', modules);
  await import(`data:text/javascript,${encodeURIComponent(text)}`);
  return globalThis.seen.join();
}

function refused(modules, pattern) {
  try {
    together('main.js', modules);
    return false;
  } catch (error) {
    return pattern.test(error.message);
  }
}

async function joining() {
  await check('what modules export and import is what it was, names of their own apart', async () =>
    await value_of({
      'main.js': "import { one, Two } from './a.js';\nimport './b.js'; // why\n" +
                 "const text = 'main';\nseen.push(text, one(), new Two().text);\n",
      'a.js': "import { text } from './b.js';\n" +
              "export const one = () => text;\nexport class Two { text = text + 2; }\n",
      'b.js': "const hidden = 'b';\nexport const text = hidden;\nseen.push('first');\n",
    }) === 'first,main,b,b2');
  await check('a module that two want is there once', async () =>
    await value_of({
      'main.js': "import './a.js';\nimport './b.js';\n",
      'a.js': "import './c.js';\nseen.push('a');\n", 'b.js': "import './c.js';\nseen.push('b');\n",
      'c.js': "seen.push('c');\n",
    }) === 'c,a,b');
  await check('what is not ours is imported as before', () =>
    together('main.js', { 'main.js': "import { A } from './a.mjs';\nA();\n" })
      .startsWith("import { A } from './a.mjs';\n"));
  await check('a name that is not exported is an error', () =>
    refused({ 'main.js': "import { b } from './a.js';\n", 'a.js': 'export const a = 1, b = 2;\n' },
            /main\.js: imports b, which a\.js does not export/));
  await check('so are modules that import each other', () =>
    refused({ 'main.js': "import './a.js';\n", 'a.js': "import './main.js';\n" },
            /a\.js: imports main\.js, which imports it/));
  await check('and an import or export of another shape', () =>
    refused({ 'main.js': "import all from './a.js';\n" }, /main\.js: .* understand: import all/) &&
    refused({ 'main.js': "import './a.js';\n", 'a.js': 'export let a = 1;\n' },
            /a\.js: .* understand: export let/));
}

// --- the sealed folder

async function sealing() {
  const parts = join(work, 'parts'), web = join(work, 'web');
  put(parts, {
    'core-worker.js': "import { a } from './a.js';\nself.x = a;\n", 'a.js': 'export const a = 1;\n',
    'app-worker.js': '', 'page.js': "import './start.js';\n", 'start.js': '',
    'boot.toml': '[[app]]\nname = "one"\n', 'apps/one/vyoma.toml': 'first', 'apps/one/one.wasm': 'module',
    'apps/two/vyoma.toml': 'second', 'root/index.html': '@BUILD@', 'root/sw.js': '',
  });
  const ran = spawnSync('node', ['hosts/browser/seal.mjs', parts, web]);
  const build = String(readFileSync(join(web, 'index.html'))), folder = join(web, build);
  await check('the folder is named by its build', () => ran.status === 0 && /^[0-9a-f]{16}$/.test(build));
  await check('it has no module that is a part of another', () =>
    readdirSync(folder).join() === 'app-worker.js,apps,boot.toml,core-worker.js,first.bin,page.js,start.js');
  await check('in one file there is what boot.toml names', () =>
    String(readFileSync(join(folder, 'first.bin'))) ===
    '{"apps/one/one.wasm":6,"apps/one/vyoma.toml":5,"boot.toml":21}\nmodulefirst[[app]]\nname = "one"\n');
}

// --- parts whose source is gone

async function forgetting() {
  const parts = join(work, 'old'), list = join(work, 'old.list');
  const forget = (...names) => spawnSync('hosts/browser/forget', [parts, list, ...names]).status === 0;
  put(parts, { 'page.js': '', 'gone.js': '', 'apps/gone/gone.wasm': '', 'apps/a b/x': '' });
  await check('a part that is not named goes, the others stay', () =>
    forget('page.js', 'apps/a b/x') && !existsSync(join(parts, 'gone.js')) &&
    !existsSync(join(parts, 'apps/gone/gone.wasm')) && existsSync(join(parts, 'page.js')) &&
    existsSync(join(parts, 'apps/a b/x')));
  const before = statSync(list).mtimeMs;
  await check('the same names leave the list as it is', () =>
    forget('apps/a b/x', 'page.js') && statSync(list).mtimeMs === before);
  await check('others write it anew', () => forget('page.js') && statSync(list).mtimeMs > before &&
    !existsSync(join(parts, 'apps/a b/x')));
}

try {
  await joining();
  await sealing();
  await forgetting();
} finally {
  rmSync(work, { recursive: true, force: true });
}
finish();
