/* What malloc has given out: resident memory also holds what it keeps for later. */
#include "host.h"

#include <malloc.h>

long heap_in_use_bytes(void)
{
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 33)
    struct mallinfo2 info = mallinfo2();

    return (long) (info.uordblks + info.hblkhd);
#else
    struct mallinfo info = mallinfo();

    return (long) (unsigned) info.uordblks + (long) (unsigned) info.hblkhd;
#endif
#else
    return 0;
#endif
}
