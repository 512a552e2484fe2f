/* Newton's gravity among the Sun and the giant planets in double precision, by the
 * symplectic Euler method. Initial state: positions and velocities of 2000-01-01 rounded
 * to what the checksum needs; units are AU, days and solar masses times G. */
#include <string.h>

#include "program.h"

enum { ROUNDS = SCALED(7500000), BODIES = 5 };

struct body {
    double x, y, z, vx, vy, vz, mass;
};

#define SUN_MASS (2.9591220828559e-4)

static struct body bodies[BODIES] = {
    { 0, 0, 0, 0, 0, 0, SUN_MASS },
    { 3.9994, 2.7339, -0.1008, -0.004564, 0.006447, 0.0000755, SUN_MASS / 1047.35 },
    { 6.3992, 6.1720, -0.3616, -0.004286, 0.003517, 0.0001094, SUN_MASS / 3497.9 },
    { 14.4247, -13.5077, -0.2371, 0.002679, 0.002669, -0.0000249, SUN_MASS / 22903 },
    { 16.8049, -24.7451, 0.1227, 0.002585, 0.001769, -0.0000960, SUN_MASS / 19412 },
};

static double root(double x)
{
    return __builtin_sqrt(x);
}

static void balance(void)
{
    for (int i = 1; i < BODIES; i++) {
        double share = bodies[i].mass / SUN_MASS;
        bodies[0].vx -= bodies[i].vx * share;
        bodies[0].vy -= bodies[i].vy * share;
        bodies[0].vz -= bodies[i].vz * share;
    }
}

static void advance(double days)
{
    for (int i = 0; i < BODIES; i++) {
        struct body *a = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            struct body *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            double square = dx * dx + dy * dy + dz * dz;
            double pull = days / (square * root(square));
            a->vx -= dx * b->mass * pull;
            a->vy -= dy * b->mass * pull;
            a->vz -= dz * b->mass * pull;
            b->vx += dx * a->mass * pull;
            b->vy += dy * a->mass * pull;
            b->vz += dz * a->mass * pull;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        bodies[i].x += bodies[i].vx * days;
        bodies[i].y += bodies[i].vy * days;
        bodies[i].z += bodies[i].vz * days;
    }
}

int main(void)
{
    uint64_t sum = 0;
    balance();
    for (int i = 0; i < ROUNDS; i++)
        advance(1.0);
    for (int i = 0; i < BODIES; i++) {
        uint64_t bits;
        memcpy(&bits, &bodies[i].x, sizeof bits);
        sum = mix(sum, bits);
    }
    return finish(sum);
}
