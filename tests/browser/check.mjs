// TAP, and what was on the screen when something failed.
let count = 0, failed = 0;

export async function check(name, test, session) {
  let why;
  try {
    why = await test() ? null : 'it did not';
  } catch (error) {
    why = error.message;
  }
  console.log(`${why === null ? 'ok' : 'not ok'} ${++count} - ${name}`);
  if (why === null)
    return;
  failed++;
  console.log(`# ${why}`);
  for (const line of (await session?.screen().catch(() => 'no screen') ?? '').split('\n').slice(-25))
    console.log(`#   ${line}`);
}

export function finish() {
  console.log(`1..${count}`);
  process.exitCode = failed ? 1 : 0;
}
