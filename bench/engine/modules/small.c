/* What the small app gives the engine's start to call. */
int first(int x);

int first(int x)
{
    return x;
}
