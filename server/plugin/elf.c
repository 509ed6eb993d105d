// SPDX-License-Identifier: Apache-2.0
// ELF checks of a plugin. See elf.h. Only what lies inside the file is read, and only bounded pieces of it.
#include "plugin/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#if __SIZEOF_POINTER__ == 8
#define CLASS      ELFCLASS64
#define CLASS_BITS 64
typedef Elf64_Ehdr elf_header;
typedef Elf64_Phdr elf_segment;
typedef Elf64_Shdr elf_section;
typedef Elf64_Nhdr elf_note;
typedef Elf64_Sym elf_symbol;
#else
#define CLASS      ELFCLASS32
#define CLASS_BITS 32
typedef Elf32_Ehdr elf_header;
typedef Elf32_Phdr elf_segment;
typedef Elf32_Shdr elf_section;
typedef Elf32_Nhdr elf_note;
typedef Elf32_Sym elf_symbol;
#endif

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#elif defined(__riscv)
#define MACHINE EM_RISCV
#elif defined(__i386__)
#define MACHINE EM_386
#elif defined(__arm__)
#define MACHINE EM_ARM
#else
#error "name this machine's ELF number"
#endif

#define SEGMENTS_MAX 64
#define NOTES_MAX    16384 // bytes of one segment of notes that are looked at
#define SYMBOLS_READ 64    // at a time

struct elf {
    int fd;
    uint64_t size;
    struct base_error *err;
    elf_header header;
    elf_segment segments[SEGMENTS_MAX];
};

static leat_status no_elf(struct elf *e)
{
    base_fail(e->err, LEAT_CONFIG, "LEAT-P0005", e->size ? "it is not an ELF file" : "it is empty");
    base_error_hint(e->err, "The plugin folder holds shared libraries only; copy the plugin again.");
    return LEAT_CONFIG;
}

static leat_status truncated(struct elf *e, const char *what)
{
    return base_fail(e->err, LEAT_CONFIG, "LEAT-P0006", "it is truncated or damaged (%s)", what);
}

static bool inside(const struct elf *e, uint64_t offset, uint64_t len)
{
    return offset <= e->size && len <= e->size - offset;
}

static bool read_at(const struct elf *e, void *out, size_t len, uint64_t offset)
{
    char *p = out;
    while (len && inside(e, offset, len)) {
        ssize_t n = pread(e->fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return len == 0;
}

static leat_status check_header(struct elf *e)
{
    elf_header *h = &e->header;
    if (!read_at(e, h->e_ident, EI_NIDENT, 0) || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return no_elf(e);
    if (h->e_ident[EI_CLASS] != CLASS)
        return base_fail(e->err, LEAT_CONFIG, "LEAT-P0005", "it is a %s-bit library, and this leat has %d bits",
                         h->e_ident[EI_CLASS] == ELFCLASS32   ? "32"
                         : h->e_ident[EI_CLASS] == ELFCLASS64 ? "64"
                                                              : "?",
                         CLASS_BITS);
    if (h->e_ident[EI_DATA] != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB))
        return base_fail(e->err, LEAT_CONFIG, "LEAT-P0005", "it was built for a machine with another byte order");
    if (!read_at(e, h, sizeof *h, 0))
        return truncated(e, "its header is cut off");
    if (h->e_machine != MACHINE)
        return base_fail(e->err, LEAT_CONFIG, "LEAT-P0005",
                         "it was built for another machine (ELF number %u, ours is %u)", h->e_machine, MACHINE);
    if (h->e_type != ET_DYN)
        return base_fail(e->err, LEAT_CONFIG, "LEAT-P0005", "it is not a shared library but %s",
                         h->e_type == ET_REL    ? "an object file"
                         : h->e_type == ET_EXEC ? "a program"
                                                : "another kind of ELF file");
    return LEAT_OK;
}

static leat_status check_tables(struct elf *e)
{
    const elf_header *h = &e->header;
    uint32_t count = h->e_phnum;
    if (h->e_phentsize != sizeof(elf_segment) || !count || count > SEGMENTS_MAX)
        return truncated(e, "its table of segments makes no sense");
    if (!read_at(e, e->segments, count * sizeof(elf_segment), h->e_phoff))
        return truncated(e, "its table of segments is cut off");
    // not needed for loading, but it stands at the end: where it is missing, something was cut off
    if (h->e_shoff && !inside(e, h->e_shoff, (uint64_t)h->e_shnum * sizeof(elf_section)))
        return truncated(e, "its table of sections is cut off");
    bool loadable = false, dynamic = false;
    for (const elf_segment *s = e->segments; s < e->segments + count; s++) {
        uint64_t align = s->p_align > 1 ? s->p_align : 1;
        if (!inside(e, s->p_offset, s->p_filesz))
            return truncated(e, "a segment lies outside of the file");
        if (s->p_type == PT_LOAD && (s->p_filesz > s->p_memsz || (align & (align - 1)) != 0 ||
                                     (s->p_vaddr - s->p_offset) % align != 0 || s->p_vaddr + s->p_memsz < s->p_vaddr))
            return truncated(e, "a segment makes no sense");
        if (s->p_type == PT_INTERP)
            return base_fail(e->err, LEAT_CONFIG, "LEAT-P0005", "it is not a shared library but a program");
        loadable |= s->p_type == PT_LOAD;
        dynamic |= s->p_type == PT_DYNAMIC && s->p_filesz > 0;
    }
    return loadable && dynamic ? LEAT_OK : truncated(e, "it has nothing to load");
}

// Does the note at `at` have our owner and type? Steps *at behind it; false at the end too.
static bool next_note(const uint8_t *notes, size_t len, size_t *at, struct leat_note *out)
{
    elf_note n;
    if (len - *at < sizeof n) {
        *at = len;
        return false;
    }
    memcpy(&n, notes + *at, sizeof n);
    size_t name = *at + sizeof n, rest = len - name;
    size_t name_len = ((size_t)n.n_namesz + 3) & ~(size_t)3, desc_len = ((size_t)n.n_descsz + 3) & ~(size_t)3;
    if (name_len > rest || desc_len > rest - name_len) {
        *at = len;
        return false;
    }
    *at = name + name_len + desc_len;
    if (n.n_type != LEAT_NOTE_TYPE || n.n_namesz != sizeof LEAT_NOTE_OWNER ||
        memcmp(notes + name, LEAT_NOTE_OWNER, sizeof LEAT_NOTE_OWNER) != 0 ||
        n.n_descsz < offsetof(struct leat_note, components))
        return false;
    size_t size = n.n_descsz < sizeof *out ? n.n_descsz : sizeof *out;
    *out = (struct leat_note){0};
    memcpy(out, notes + name + name_len, size);
    out->components[LEAT_NOTE_TEXT - 1] = 0;
    return true;
}

static bool find_note(struct elf *e, struct leat_note *note)
{
    uint8_t notes[NOTES_MAX];
    for (const elf_segment *s = e->segments; s < e->segments + e->header.e_phnum; s++) {
        size_t len = s->p_filesz < sizeof notes ? (size_t)s->p_filesz : sizeof notes;
        if (s->p_type != PT_NOTE || !read_at(e, notes, len, s->p_offset))
            continue;
        for (size_t at = 0; at < len;) {
            if (next_note(notes, len, &at, note))
                return true;
        }
    }
    return false;
}

static leat_status check_note(struct elf *e, const struct leat_note *note)
{
    if (note->magic != LEAT_MAGIC)
        return base_fail(e->err, LEAT_CONFIG, "LEAT-P0014", "its note is not one of leat's (wrong magic number)");
    if (note->abi_major != LEAT_ABI_MAJOR || note->abi_minor > LEAT_ABI_MINOR)
        return base_fail(e->err, LEAT_CONFIG, "LEAT-P0007", "it was built for ABI %u.%u, and this leat has ABI %u.%u",
                         note->abi_major, note->abi_minor, LEAT_ABI_MAJOR, LEAT_ABI_MINOR);
    if (note->pointer_size != sizeof(void *))
        return base_fail(e->err, LEAT_CONFIG, "LEAT-P0005", "it was built with pointers of %u bytes",
                         note->pointer_size);
    return LEAT_OK;
}

static bool read_section(const struct elf *e, uint32_t index, elf_section *out)
{
    return e->header.e_shoff && index < e->header.e_shnum &&
           read_at(e, out, sizeof *out, e->header.e_shoff + index * sizeof *out);
}

// Is one of the exported functions in the table `symbols`, whose names are in `names`, the entry?
static bool has_entry(const struct elf *e, const elf_section *symbols, const elf_section *names)
{
    elf_symbol piece[SYMBOLS_READ];
    char name[sizeof PLUGIN_ENTRY];
    uint64_t count = symbols->sh_size / sizeof(elf_symbol);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = i % SYMBOLS_READ, rest = count - i < SYMBOLS_READ ? count - i : SYMBOLS_READ;
        if (at == 0 && !read_at(e, piece, rest * sizeof *piece, symbols->sh_offset + i * sizeof *piece))
            return false;
        const elf_symbol *s = &piece[at];
        if (s->st_shndx != SHN_UNDEF && (s->st_info & 0xf) == STT_FUNC &&
            read_at(e, name, sizeof name, names->sh_offset + s->st_name) &&
            memcmp(name, PLUGIN_ENTRY, sizeof name) == 0)
            return true;
    }
    return false;
}

// The table of exported names is found by the sections. Without those (they are not needed for loading) dlsym will tell.
static leat_status check_entry(struct elf *e)
{
    elf_section symbols, names;
    for (uint32_t i = 0; e->header.e_shentsize == sizeof symbols && read_section(e, i, &symbols); i++) {
        if (symbols.sh_type != SHT_DYNSYM || !inside(e, symbols.sh_offset, symbols.sh_size))
            continue;
        if (read_section(e, symbols.sh_link, &names) && !has_entry(e, &symbols, &names))
            return base_fail(e->err, LEAT_CONFIG, "LEAT-P0016", "it has no function \"" PLUGIN_ENTRY "\"");
        break;
    }
    return LEAT_OK;
}

leat_status plugin_elf_check(int fd, uint64_t size, struct leat_note *note, struct base_error *err)
{
    struct elf e = {.fd = fd, .size = size, .err = err};
    leat_status st = check_header(&e);
    if (st == LEAT_OK)
        st = check_tables(&e);
    if (st != LEAT_OK)
        return st;
    if (!find_note(&e, note)) {
        base_fail(err, LEAT_CONFIG, "LEAT-P0014", "it is no plugin of leat (it has no note)");
        base_error_hint(err, "A plugin says LEAT_PLUGIN(…) once; other libraries do not belong into this folder.");
        return LEAT_CONFIG;
    }
    st = check_note(&e, note);
    return st == LEAT_OK ? check_entry(&e) : st;
}
