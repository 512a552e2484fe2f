// A part of a processor (cpu_percent), as the kernel's cpu.max gives it: in each period an app works for
// so long, and waits for the next one when it wants more. What it waits for others does not count. The
// time is the clock's: where processors are short it is given less, not more.
const PERIOD_MS = 100;

const nothing = new Int32Array(new SharedArrayBuffer(4)); // nobody notifies: to wait for the time

export class Share {
  #quota; #left; #end; #since; #waited = 0;

  constructor(percent) {
    this.#quota = PERIOD_MS * percent / 100;
    this.#left = this.#quota;
    this.#since = performance.now();
    this.#end = this.#since + PERIOD_MS;
  }

  // Between two slices of its work, often. waited: milliseconds that the app has waited, ever.
  rest(waited) {
    let now = performance.now();
    this.#left -= Math.max(now - this.#since - (waited - this.#waited), 0);
    while (this.#left <= 0) { // what it has worked too long is taken from the next period
      if (now < this.#end)
        Atomics.wait(nothing, 0, 0, this.#end - now);
      now = performance.now();
      this.#next(now);
    }
    if (now >= this.#end)
      this.#next(now);
    this.#since = now;
    this.#waited = waited;
  }

  // What was not used is not kept; what was used too much is.
  #next(now) {
    if (now < this.#end)
      return;
    this.#left = Math.min(this.#left, 0) + this.#quota;
    this.#end += PERIOD_MS;
    if (this.#end <= now)
      this.#end = now + PERIOD_MS;
  }
}
