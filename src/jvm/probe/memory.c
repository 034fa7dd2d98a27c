#include "jvm/probe/memory.h"

#include <elf.h>
#include <endian.h>
#include <string.h>
#include <unistd.h>

enum { PROGRAM_HEADERS_MAX = 64, DYNAMIC_MAX = 256, CHAIN_MAX = 65536 };

static bool memory_fill(struct memory *m, unsigned slot, uint64_t number)
{
    m->pages[slot] = 0;
    if (pread(m->fd, m->bytes[slot], MEMORY_PAGE, (off_t)(number * MEMORY_PAGE)) != MEMORY_PAGE)
        return false;
    m->pages[slot] = number + 1;
    return true;
}

/* The cached page, or NULL. A partial one is none: memory is mapped in whole pages. Any page may be in any slot: a
 * table and the text its entries point to are read in turns, and are any distance apart. */
static const uint8_t *memory_page(struct memory *m, uint64_t number)
{
    if (number > (uint64_t)INT64_MAX / MEMORY_PAGE - 1)
        return NULL;
    for (unsigned i = 0; i < MEMORY_PAGES; i++) {
        const unsigned slot = (m->last + i) % MEMORY_PAGES;
        if (m->pages[slot] != number + 1)
            continue;
        m->last = slot;
        return m->bytes[slot];
    }
    m->last = m->oldest;
    m->oldest = (m->oldest + 1) % MEMORY_PAGES;
    return memory_fill(m, m->last, number) ? m->bytes[m->last] : NULL;
}

bool memory_read(struct memory *m, uint64_t at, void *ret, size_t n)
{
    for (size_t done = 0; done < n;) {
        const size_t offset = at % MEMORY_PAGE, room = MEMORY_PAGE - offset, part = n - done < room ? n - done : room;
        const uint8_t *page = memory_page(m, at / MEMORY_PAGE);
        if (!page)
            return false;
        memcpy((uint8_t *)ret + done, page + offset, part);
        done += part;
        at += part;
    }
    return true;
}

uint64_t memory_word(struct memory *m, uint64_t at)
{
    uint64_t word;
    return memory_read(m, at, &word, sizeof word) ? le64toh(word) : 0;
}

static uint32_t memory_u32(struct memory *m, uint64_t at)
{
    uint32_t n;
    return memory_read(m, at, &n, sizeof n) ? le32toh(n) : 0;
}

size_t memory_text(struct memory *m, uint64_t at, char *ret, size_t size)
{
    size_t n = 0;
    while (n + 1 < size && memory_read(m, at + n, ret + n, 1) && ret[n])
        n++;
    ret[n] = '\0';
    return n;
}

bool memory_text_is(struct memory *m, uint64_t at, const char *text)
{
    char c;
    for (size_t i = 0;; i++) {
        if (!memory_read(m, at + i, &c, 1) || c != text[i])
            return false;
        if (!c)
            return true;
    }
}

/* The dynamic linker may have made addresses of the offsets in the file: glibc does, musl does not. */
static uint64_t memory_relocated(const struct memory *m, uint64_t value)
{
    return value && value < m->bias ? value + m->bias : value;
}

static void memory_read_dynamic(struct memory *m, uint64_t at)
{
    for (unsigned i = 0; i < DYNAMIC_MAX; i++) {
        Elf64_Dyn d;
        if (!memory_read(m, at + i * sizeof d, &d, sizeof d) || d.d_tag == DT_NULL)
            return;
        const uint64_t value = memory_relocated(m, d.d_un.d_ptr);
        if (d.d_tag == DT_SYMTAB)
            m->symbols = value;
        else if (d.d_tag == DT_STRTAB)
            m->strings = value;
        else if (d.d_tag == DT_GNU_HASH)
            m->hash = value;
    }
}

bool memory_open(struct memory *m, int fd, uint64_t head)
{
    Elf64_Ehdr e;
    Elf64_Phdr p;
    uint64_t dynamic = 0;
    bool loaded = false;
    m->fd = fd;
    m->bias = m->symbols = m->strings = m->hash = 0;
    memset(m->pages, 0, sizeof m->pages);
    m->last = m->oldest = 0;
    if (fd < 0 || !memory_read(m, head, &e, sizeof e) || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 ||
        e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_ident[EI_DATA] != ELFDATA2LSB || e.e_phentsize != sizeof p)
        return false;
    for (unsigned i = 0; i < e.e_phnum && i < PROGRAM_HEADERS_MAX; i++) {
        if (!memory_read(m, head + e.e_phoff + i * sizeof p, &p, sizeof p))
            return false;
        if (p.p_type == PT_LOAD && !loaded) {
            m->bias = head - (p.p_vaddr - p.p_offset);
            loaded = true;
        } else if (p.p_type == PT_DYNAMIC) {
            dynamic = p.p_vaddr;
        }
    }
    if (loaded && dynamic)
        memory_read_dynamic(m, m->bias + dynamic);
    return m->symbols && m->strings && m->hash;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (; *name; name++)
        hash = hash * 33 + (uint8_t)*name;
    return hash;
}

uint64_t memory_symbol(struct memory *m, const char *name)
{
    /* Header: buckets, first hashed symbol, words of the filter, its shift; then the filter, the buckets, the
     * hashes. */
    const uint32_t buckets = memory_u32(m, m->hash), first = memory_u32(m, m->hash + 4),
                   filter = memory_u32(m, m->hash + 8), hash = gnu_hash(name);
    if (buckets == 0)
        return 0;
    const uint64_t bucket = m->hash + 16 + (uint64_t)filter * 8, hashes = bucket + (uint64_t)buckets * 4;
    uint64_t i = memory_u32(m, bucket + (uint64_t)(hash % buckets) * 4);
    for (unsigned steps = 0; i >= first && i > 0 && steps < CHAIN_MAX; i++, steps++) {
        Elf64_Sym s;
        const uint32_t link = memory_u32(m, hashes + (i - first) * 4);
        if ((link | 1) == (hash | 1) && memory_read(m, m->symbols + i * sizeof s, &s, sizeof s) &&
            s.st_shndx != SHN_UNDEF && memory_text_is(m, m->strings + s.st_name, name))
            return m->bias + s.st_value;
        if (link & 1)
            break;
    }
    return 0;
}
