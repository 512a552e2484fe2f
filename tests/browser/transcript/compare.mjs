// The same transcript everywhere: each app on Linux and in a page, in the browser's engine or in
// ours. Output, exit code and audit records are equal, but for what DIFFERENCES lists.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve, Session } from '../drive.mjs';
import { check } from '../check.mjs';

const WEB = 'out/tests/browser/parts';
const ROGUE = [
  'dotdot', 'absolute', 'other-app', 'proc', 'dev', 'symlinks', 'symlink-race', 'hard-links',
  'change-outside', 'odd-paths', 'descriptors', 'open-files', 'fill-disk', 'supervisor',
  'send-elsewhere', 'forge', 'connect-elsewhere', 'listen-elsewhere', 'bad-pointers', 'allocate',
  'trap-unreachable', 'trap-divide-by-zero', 'trap-divide-overflow', 'trap-convert-nan',
  'trap-convert-huge', 'trap-read-beyond', 'trap-write-beyond', 'trap-fill-beyond',
  'trap-call-beyond', 'trap-call-null', 'trap-call-wrong-type', 'trap-recursion', 'exit',
];
// Lines that only one side has, each with its reason.
const ONLY_HERE = [
  [/^err: vyoma: sandbox: /, 'what the machine that tests does not permit'],
];
// What differs from run to run.
const VARIES = [
  [/[\d.]+ us each, \d+ a second/, 'T us each, N a second'],
];
// What differs between the sides, and why: in which case, with which engine (null: all), and what
// the lines are to have in common.
const DIFFERENCES = [
  ['rogue fill-disk', null, 'data is counted to the byte here, and now and then on Linux, so that ' +
   'either the file or the data may be said to be full', /fbig|dquot/, 'full'],
  ['rogue fill-disk', null, 'and it may not be opened again', /.*fill-disk by (making|reserving).*/, ''],
  ['rogue fill-disk', null, 'likewise', /^audit: .*"what":"data".*|"seq":\d+,/, ''],
  ['rogue trap-convert-huge', 'V8', 'it has one message for both',
   /integer overflow|invalid conversion to integer/, 'no integer'],
  ['rogue trap-convert-huge', 'V8', 'likewise', /"trap":[34]/, '"trap"'],
  ['rogue trap-call-beyond', 'SpiderMonkey', 'it has one message for both',
   /undefined element|out of bounds memory access/, 'out of bounds'],
  ['rogue trap-call-beyond', 'SpiderMonkey', 'likewise', /"trap":[57]/, '"trap"'],
  ['rogue trap-recursion', null, 'stacks are not of one size', /.*and \d+ more/, ''],
  ...['V8', 'SpiderMonkey'].map(engine =>
    ['rogue trap-recursion', engine, 'a stack ends at a call here, and in the callee there',
     /offset 0x[0-9a-f]+/, 'offset']),
];

// An app, its arguments, what it reads, the apps beside it.
const CASES = [
  { app: 'hello' },
  { app: 'calculator', args: ['6', '*', '7'] },
  { app: 'calculator', args: ['1', '/', '0'] },
  { app: 'factorial', args: ['20'] },
  { app: 'factorial', args: ['x'] },
  { app: 'notes', args: ['add', 'milk'] },
  { app: 'notes', input: 'add milk\nlist\n' },
  { app: 'storage-demo' },
  { app: 'ping', beside: ['pong'] },
  { app: 'ping' },
  { app: 'shell', input: 'help\n' },
  { app: 'shell', input: 'kill hello\n' },
  { app: 'broken' },
  { app: 'rogue-import' },
  { app: 'changed' },
  { app: 'trapper' },
  { app: 'grower' },
  { app: 'nothing' },
  ...ROGUE.map(attempt => ({ app: 'rogue', args: [attempt] })),
];


// --- the three sides -----------------------------------------------------------------------

// A copy of the page's folder with the test's page.
function copy(root, kind) {
  const folder = join(root, kind);
  cpSync(WEB, folder, { recursive: true });
  for (const file of ['page.html', 'transcript.js'])
    cpSync(join('tests/browser/transcript', file), join(folder, file));
  add_broken(folder);
  return folder;
}

// An app whose module ends in the middle.
function add_broken(folder) {
  const from = join(WEB, 'apps', 'hello'), to = join(folder, 'apps', 'broken');
  mkdirSync(to);
  writeFileSync(join(to, 'broken.wasm'), readFileSync(join(from, 'hello.wasm')).subarray(0, 200));
  writeFileSync(join(to, 'vyoma.toml'), readFileSync(join(from, 'vyoma.toml'), 'utf8')
    .replaceAll('"hello', '"broken').replace(/wasm_sha256.*\n/, ''));
}

// The case's arguments, and the engine, into the manifests of its apps.
function edit(folder, { app, args = [], beside = [] }, engine) {
  for (const name of [app, ...beside]) {
    const original = join(WEB, 'apps', name, 'vyoma.toml');
    if (!existsSync(original))
      continue;
    const words = name === app && args.length ? `args = ${JSON.stringify(args)}\n` : '';
    writeFileSync(join(folder, 'apps', name, 'vyoma.toml'), readFileSync(original, 'utf8').replace(
      'manifest_version = 1\n', `manifest_version = 1\n${words}engine = "${engine}"\n`));
  }
}

function on_linux(folder, { app, input = '', beside = [] }) {
  const place = mkdtempSync(join(tmpdir(), 'vyoma-transcript-'));
  const audit = join(place, 'audit.jsonl');
  const ran = spawnSync('out/rel/bin/sandbox-supervise', [
    '--worker', 'out/rel/bin/vyoma-run', '--apps', join(folder, 'apps'),
    '--data', join(place, 'data'), '--audit', audit, '--foreground', app, ...beside], { input });
  const seen = { out: String(ran.stdout), err: String(ran.stderr), code: ran.status,
                 audit: readFileSync(audit, 'utf8') };
  rmSync(place, { recursive: true });
  return seen;
}

const in_page = (page, { app, input = '', beside = [] }) =>
  page.evaluate(([apps, words]) => self.run_case(apps, words), [[app, ...beside], input]);

// The same in a browser whose pages now and then stand still from their start: then in a new one.
async function in_page_or_another(side, c, patience_ms) {
  for (let tries = 0; ; tries++) {
    const seen = await Promise.race([
      in_page(side.s.page, c),
      new Promise(resolve => setTimeout(resolve, patience_ms, null).unref())]);
    if (seen || tries === 3)
      return seen;
    console.log(`# ${named(c)}: nothing for ${patience_ms} ms; once more in a new page`);
    await side.s.page.close();
    await open_page(side);
  }
}

async function open_page(side) {
  side.s = new Session(await side.browser.new_page());
  await side.s.open(`${side.server.address}page.html`);
  await side.s.page.waitForFunction(() => self.run_case);
}

// --- comparing -----------------------------------------------------------------------------

// A record without what no two runs have in common.
function plain(line) {
  const record = JSON.parse(line);
  for (const key of ['ts', 'prev', 'pid', 'ms', 'cpu_ms', 'engine'])
    delete record[key];
  return JSON.stringify(record);
}

const lines_of = text => text.split('\n').filter(line => line !== '');

function transcript(seen, name, engine) {
  const known = DIFFERENCES.filter(([of, with_]) => of === name && (!with_ || with_ === engine))
    .map(([, , , pattern, to]) => [pattern, to]);
  return [
    ...lines_of(seen.out).map(line => `out: ${line}`),
    ...lines_of(seen.err).map(line => `err: ${line}`),
    `code: ${seen.code}`,
    ...lines_of(seen.audit).map(line => `audit: ${plain(line)}`),
  ].filter(line => !ONLY_HERE.some(([pattern]) => pattern.test(line)))
   .map(line => [...VARIES, ...known].reduce((text, [pattern, to]) => text.replace(pattern, to), line))
   .filter(line => line !== '');
}

// Of apps that run side by side it is a matter of chance who is first.
const in_any_order = lines => lines.map(line => line.replace(/"seq":\d+,/, '')).sort();

// Null, or the first difference.
function difference(a, b, c, engine) {
  let x = transcript(a, named(c), engine), y = transcript(b, named(c), engine);
  if (c.beside)
    [x, y] = [in_any_order(x), in_any_order(y)];
  for (let i = 0; i < Math.max(x.length, y.length); i++)
    if (x[i] !== y[i])
      return `line ${i + 1} is\n  ${x[i]}\nand\n  ${y[i]}`;
  return null;
}

const named = ({ app, args = [], input, beside = [] }) =>
  [app, ...args].join(' ') + beside.map(name => ` & ${name}`).join('') +
  (input ? ` < ${JSON.stringify(input)}` : '');

// Of a browser with new_page() and close(); its engine is called own_engine, and patience_ms, if it has
// any, is for how long a case may show nothing. engines: "host", which is that, and "vyoma".
export async function compare(browser, own_engine, engines) {
  const root = mkdtempSync(join(tmpdir(), 'vyoma-transcript-'));
  const sides = [];
  try {
    for (const engine of engines) {
      const folder = copy(root, engine), server = await serve(folder);
      const side = { engine, folder, server, browser };
      sides.push(side);
      await open_page(side);
    }
    for (const c of CASES) {
      sides.forEach(side => edit(side.folder, c, side.engine));
      const linux = on_linux(sides[0].folder, c);
      for (const side of sides) {
        const { engine } = side;
        const other = engine === 'host' ? "the page's engine" : 'our engine in the page';
        await check(`${named(c)}: Linux and ${other}`, async () => {
          const seen = browser.patience_ms ? await in_page_or_another(side, c, browser.patience_ms)
                                           : await in_page(side.s.page, c);
          const why = difference(linux, seen, c, engine === 'host' ? own_engine : engine);
          if (why)
            throw new Error(why);
          return true;
        }, side.s);
      }
    }
  } finally {
    await browser.close();
    sides.forEach(({ server }) => server.stop());
    rmSync(root, { recursive: true });
  }
}
