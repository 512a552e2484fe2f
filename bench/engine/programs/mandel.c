/* The Mandelbrot set in double precision: counts of iterations over a grid. */
#include "program.h"

enum { WIDTH = 640, HEIGHT = SCALED(480), LIMIT = 1700 };

static int escape(double cx, double cy)
{
    double x = 0, y = 0;
    int n = 0;
    for (; n < LIMIT; n++) {
        double xx = x * x, yy = y * y;
        if (xx + yy > 4.0)
            break;
        y = 2 * x * y + cy;
        x = xx - yy + cx;
    }
    return n;
}

int main(void)
{
    uint64_t sum = 0;
    for (int j = 0; j < HEIGHT; j++) {
        for (int i = 0; i < WIDTH; i++) {
            double cx = -2.2 + 3.2 * i / WIDTH, cy = -1.2 + 2.4 * j / HEIGHT;
            sum = mix(sum, (uint64_t)escape(cx, cy));
        }
    }
    return finish(sum);
}
