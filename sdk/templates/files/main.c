/* Counts how often it was started. */
#include <vyoma/fs.h>

int main(void)
{
    char text[64];
    struct vy_buf b = VY_BUF(text);
    size_t len = 0;
    int data = vy_data_dir();
    vy_append_file(data, "starts", "+", 1);
    vy_read_file(data, "starts", text, sizeof text, &len);
    vy_u64(&b, len);
    vy_str(&b, len == 1 ? " start\n" : " starts\n");
    return vy_flush(&b, VY_STDOUT);
}
