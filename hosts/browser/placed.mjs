#!/usr/bin/env node
// placed.mjs LINKED OUT: a module that was linked to lie anywhere (room.mk), made to take memory that
// several workers share. For the linker memory is shared only when all of the code has atomic
// operations, and the C library's has none; this code needs none, since no two workers use the same
// bytes. So the one flag is set here. The zeros at the end of its data are left out: a place is zero
// before it is used, and they are more than all the rest. And what the page relies on is checked: nothing but the
// memory, the table, where they begin, and functions come from outside.
import { readFileSync, writeFileSync } from 'node:fs';

const IMPORTS = 2, DATA = 11, FUNCTION = 0, TABLE = 1, MEMORY = 2, GLOBAL = 3, HAS_MAX = 1, SHARED = 2;
const KNOWN = ['__indirect_function_table', '__stack_pointer', '__memory_base', '__table_base'];
const [linked, out] = process.argv.slice(2);
const bytes = readFileSync(linked);
let at = 8;

function fail(why) {
  console.error(`placed.mjs: ${linked}: ${why}`);
  process.exit(1);
}

function u32() {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80)
      return value;
  }
}

function name() {
  const len = u32();
  at += len;
  return bytes.toString('utf8', at - len, at);
}

function limits() {
  const flags = bytes[at++];
  u32();
  if (flags & HAS_MAX)
    u32();
}

let memories = 0;
function one_import() {
  const from = name(), what = name(), kind = bytes[at++];
  if (kind === FUNCTION) {
    if (from !== 'host')
      fail(`the function ${from}.${what} does not exist`);
    u32();
  } else if (kind === MEMORY) {
    if (bytes[at] !== HAS_MAX)
      fail('its memory has no bound, or other flags than are expected');
    bytes[at] = HAS_MAX | SHARED;
    memories++;
    limits();
  } else if (!KNOWN.includes(what)) {
    fail(`${from}.${what} would have to have an address: is it declared, and nowhere defined?`);
  } else if (kind === TABLE) {
    at++;
    limits();
  } else if (kind === GLOBAL) {
    at += 2;
  }
}

function number(value) {
  const out = [];
  for (; value >= 0x80; value = Math.floor(value / 128))
    out.push(value % 128 | 0x80);
  return Buffer.from([...out, value]);
}

// The data section, one segment that begins at __memory_base, without the zeros at its end.
function shorter_data(end) {
  const from = at, GLOBAL_GET = 0x23, END = 0x0b;
  if (u32() !== 1 || u32() !== 0 || bytes[at++] !== GLOBAL_GET)
    fail('its data are not one segment in one place');
  u32();
  if (bytes[at++] !== END)
    fail('its data begin nowhere simple');
  const head = bytes.subarray(from, at), len = u32();
  let last = at + len;
  if (last !== end)
    fail('its data are not as long as they say');
  while (last > at && bytes[last - 1] === 0)
    last--;
  const content = Buffer.concat([head, number(last - at), bytes.subarray(at, last)]);
  return Buffer.concat([Buffer.from([DATA]), number(content.length), content]);
}

const pieces = [bytes.subarray(0, at)];
while (at < bytes.length) {
  const begin = at, id = bytes[at++], size = u32(), end = at + size;
  if (id === IMPORTS)
    for (let count = u32(); count; count--)
      one_import();
  pieces.push(id === DATA ? shorter_data(end) : bytes.subarray(begin, end));
  at = end;
}
const made = Buffer.concat(pieces);
if (memories !== 1)
  fail('it does not import its memory');
if (!WebAssembly.validate(made))
  fail('it is no valid module');
writeFileSync(out, made);
