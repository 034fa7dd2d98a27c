#include <stdio.h>

int main(void)
{
    puts("smolder " SMOLDER_VERSION);
    return 0;
}
