import { createHash } from 'node:crypto';

// Does each record of the audit log name the hash of the line before it?
export function chained(log) {
  let before = '0'.repeat(64);
  const lines = log.trimEnd().split('\n');
  for (const line of lines) {
    if (JSON.parse(line).prev !== before)
      return false;
    before = createHash('sha256').update(line + '\n').digest('hex');
  }
  return lines.length > 5;
}
