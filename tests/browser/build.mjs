#!/usr/bin/env node
// The folder of the page as it is made of its parts, without a browser.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { check, finish } from './check.mjs';

const work = mkdtempSync(join(tmpdir(), 'vyoma-build-'));

function put(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
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
  await forgetting();
} finally {
  rmSync(work, { recursive: true, force: true });
}
finish();
