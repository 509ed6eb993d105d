// SPDX-License-Identifier: Apache-2.0
// Loading plugins. See loader.h.
//
// A file is opened once; owner, rights, ELF tables and note are checked through that descriptor, and the descriptor
// itself is what dlopen gets (/proc/self/fd/N): nobody can put another file in its place between check and use. The
// descriptor stays open as long as the library is loaded, because the dynamic linker knows libraries by the name they
// were loaded by: with a number used twice, the second plugin would silently be the first.
#include "plugin/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/code.h"
#include "base/crash.h"
#include "base/diag.h"
#include "base/error.h"
#include "plugin/check.h"
#include "plugin/elf.h"
#include "plugin/registry.h"

// --- who may have written a file

// Owners we trust: root, ourselves, and whoever owns our own program (he could replace that as well).
static bool is_trusted(uid_t owner)
{
    struct stat st;
    return owner == 0 || owner == geteuid() || (stat("/proc/self/exe", &st) == 0 && owner == st.st_uid);
}

static leat_status check_rights(const struct stat *st, struct base_error *err)
{
    const char *noun = S_ISDIR(st->st_mode) ? "folder" : "file";
    if (st->st_mode & S_IWOTH && !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX)) {
        base_fail(err, LEAT_CONFIG, "LEAT-P0004", "anybody may write to this %s", noun);
        base_error_hint(err, "Take the right away: chmod o-w.");
        return LEAT_CONFIG;
    }
    if (!is_trusted(st->st_uid)) {
        base_fail(err, LEAT_CONFIG, "LEAT-P0004", "it belongs to user %u, who is neither root nor the user of leat",
                  (unsigned)st->st_uid);
        base_error_hint(err, "Give it to the user of leat: chown.");
        return LEAT_CONFIG;
    }
    return LEAT_OK;
}

// --- one file

static leat_status check_name(const char *path, struct base_error *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name);
    const char *why = NULL;
    if (name[0] == '.')
        why = "it is hidden";
    else if (name[n ? n - 1 : 0] == '~' || strstr(name, ".so."))
        why = "it looks like a back-up or a numbered copy";
    else if (n < 4 || strcmp(name + n - 3, ".so") != 0)
        why = "its name does not end in \".so\"";
    if (!why)
        return LEAT_OK;
    base_fail(err, LEAT_CONFIG, "LEAT-P0003", "%s", why);
    base_error_hint(err, "Plugins are files called NAME.so; move everything else out of the folder.");
    return LEAT_CONFIG;
}

static leat_status open_file(const char *path, int *fd, struct stat *st, struct base_error *err)
{
    struct stat link;
    // O_NONBLOCK, so that a pipe does not hold us
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        int error = errno;
        if (error == ENOENT && lstat(path, &link) == 0 && S_ISLNK(link.st_mode))
            return base_fail(err, LEAT_CONFIG, "LEAT-P0002", "it is a link that leads nowhere");
        return base_fail(err, LEAT_CONFIG, "LEAT-P0001", "could not open it: %s", strerror(error));
    }
    if (fstat(*fd, st) != 0)
        return base_fail(err, LEAT_CONFIG, "LEAT-P0001", "could not look at it: %s", strerror(errno));
    if (!S_ISREG(st->st_mode))
        return base_fail(err, LEAT_CONFIG, "LEAT-P0002", "it is %s, not a file",
                         S_ISDIR(st->st_mode) ? "a folder" : "a device, pipe or socket");
    return check_rights(st, err);
}

// Clashes that the note gives away, before any code of the plugin runs.
static leat_status check_clash(const struct plugin_registry *registry, const struct leat_note *note,
                               struct base_error *err)
{
    char text[LEAT_NOTE_TEXT], *rest = text, *item;
    memcpy(text, note->components, sizeof text);
    while ((item = strsep(&rest, ","))) {
        char *name = strchr(item, ':');
        if (!name)
            continue;
        *name++ = 0;
        for (uint8_t kind = LEAT_SOURCE; kind <= LEAT_LOOKUP; kind++) {
            const struct leat_component *c =
                strcmp(plugin_kind_name(kind), item) == 0 ? plugin_registry_find(registry, kind, name) : NULL;
            if (!c)
                continue;
            return base_fail(err, LEAT_CONFIG, "LEAT-P0011", "the %s \"%s\" is already there, from \"%s\"", item, name,
                             plugin_registry_library_of(registry, c)->file);
        }
    }
    return LEAT_OK;
}

// What dlerror says, without the name by which only we know the file.
static const char *dl_reason(const char *proc_path)
{
    const char *text = dlerror();
    size_t n = strlen(proc_path);
    if (!text)
        return "unknown reason";
    return strncmp(text, proc_path, n) == 0 && text[n] == ':' ? text + n + 1 + strspn(text + n + 1, " ") : text;
}

struct extent {
    uintptr_t bias, end;
};

static int find_extent(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct extent *extent = arg;
    if (info->dlpi_addr != extent->bias)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t end = extent->bias + segment->p_vaddr + segment->p_memsz;
        if (segment->p_type == PT_LOAD && end > extent->end)
            extent->end = end;
    }
    return 1;
}

// Whose code an address is, should it crash: the dynamic linker knows the descriptor only. Returns where it begins.
static uintptr_t note_library(void *handle, const char *path)
{
    struct link_map *map;
    char *file = realpath(path, NULL); // for as long as the process lives
    if (!file || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
        free(file);
        return 0;
    }
    struct extent extent = {.bias = map->l_addr};
    dl_iterate_phdr(find_extent, &extent);
    base_crash_library(&(struct base_crash_library){.begin = extent.bias, .end = extent.end, .file = file});
    return extent.bias;
}

static leat_status ask_entry(struct plugin_registry *registry, const char *path, leat_plugin_entry_fn entry,
                             const struct leat_host *host, uintptr_t begin, struct base_error *err)
{
    base_crash_enter(&(struct base_crash_site){.plugin = path}, PLUGIN_ENTRY);
    const struct leat_plugin *plugin = entry(host);
    base_crash_leave();
    leat_status st = plugin_registry_add(registry, path, plugin, err);
    if (st == LEAT_OK)
        base_crash_library_is(begin, plugin->name, plugin->version);
    return st;
}

static leat_status load(struct plugin_registry *registry, const char *path, int fd, const struct leat_host *host,
                        bool *loaded, struct base_error *err)
{
    char proc_path[40];
    snprintf(proc_path, sizeof proc_path, "/proc/self/fd/%d", fd);
    base_crash_enter(&(struct base_crash_site){.plugin = path}, "constructor");
    void *handle = dlopen(proc_path, RTLD_NOW | RTLD_LOCAL);
    base_crash_leave();
    if (!handle) {
        base_fail(err, LEAT_CONFIG, "LEAT-P0015", "could not load it: %s", dl_reason(proc_path));
        base_error_hint(err, "Install the library it needs, or build the plugin on this machine; ldd shows what is "
                             "missing.");
        return LEAT_CONFIG;
    }
    *loaded = true;
    leat_plugin_entry_fn entry;
    void *symbol = dlsym(handle, PLUGIN_ENTRY);
    if (!symbol)
        return base_fail(err, LEAT_CONFIG, "LEAT-P0016", "it has no function \"" PLUGIN_ENTRY "\"");
    memcpy(&entry, &symbol, sizeof entry);
    return ask_entry(registry, path, entry, host, note_library(handle, path), err);
}

leat_status plugin_load_file(struct plugin_registry *registry, const char *path, const struct leat_host *host,
                             struct base_error *err)
{
    int fd = -1;
    struct stat st = {0};
    struct leat_note note;
    bool loaded = false;
    base_error_clear(err);
    leat_status result = check_name(path, err);
    if (result == LEAT_OK)
        result = open_file(path, &fd, &st, err);
    if (result == LEAT_OK)
        result = plugin_elf_check(fd, (uint64_t)st.st_size, &note, err);
    if (result == LEAT_OK)
        result = check_clash(registry, &note, err);
    if (result == LEAT_OK)
        result = load(registry, path, fd, host, &loaded, err);
    if (fd >= 0 && !loaded)
        close(fd);
    if (result == LEAT_OK)
        return LEAT_OK;
    const char *cure = err->hint[0] ? NULL : base_code_cure(err->code);
    if (cure)
        base_error_hint(err, "%s", cure);
    base_error_wrap(err, "plugin \"%s\" is refused", path);
    return result;
}

// --- a folder

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static leat_status check_folder(const char *folder, struct base_error *err)
{
    struct stat st;
    if (stat(folder, &st) != 0) {
        base_fail(err, LEAT_CONFIG, "LEAT-P0001", "could not use plugin folder \"%s\": %s", folder, strerror(errno));
        base_error_hint(err, "Name the folder of the plugins: plugin.dir in [server].");
        return LEAT_CONFIG;
    }
    if (!S_ISDIR(st.st_mode))
        return base_fail(err, LEAT_CONFIG, "LEAT-P0002", "plugin folder \"%s\" is not a folder", folder);
    leat_status result = check_rights(&st, err);
    if (result != LEAT_OK)
        base_error_wrap(err, "could not use plugin folder \"%s\"", folder);
    return result;
}

leat_status plugin_load_folder(struct plugin_registry *registry, const char *folder, const struct leat_host *host,
                               plugin_refused_fn refused, void *arg, struct base_error *err)
{
    struct dirent **entries;
    leat_status result = check_folder(folder, err);
    if (result != LEAT_OK)
        return result;
    int count = scandir(folder, &entries, is_entry, alphasort);
    if (count < 0)
        return base_fail(err, LEAT_CONFIG, "LEAT-P0001", "could not read plugin folder \"%s\": %s", folder,
                         strerror(errno));
    for (int i = 0; i < count; i++) {
        char path[4096 + 256];
        struct base_error reason;
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (plugin_load_file(registry, path, host, &reason) != LEAT_OK && refused)
            refused(arg, path, &reason);
        free(entries[i]);
    }
    free(entries);
    return LEAT_OK;
}

static void warn(void *arg, const char *file, const struct base_error *err)
{
    base_diag_add(arg, LEAT_DIAG_WARNING, err->code, NULL, err->hint[0] ? err->hint : NULL, "%s", err->message);
}

void plugin_load_dir(struct plugin_registry *registry, const char *folder, struct base_diags *diags)
{
    struct base_error err;
    if (plugin_load_folder(registry, folder, plugin_check_host(), warn, diags, &err) != LEAT_OK)
        base_diag_add(diags, LEAT_DIAG_ERROR, err.code, NULL, err.hint[0] ? err.hint : NULL, "%s", err.message);
}

void plugin_folder(char *out, size_t size)
{
    static const char *const places[] = {"lib", "../lib/leat", "lib"}; // the first again when neither is there
    char exe[PATH_MAX];
    struct stat st;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    char *slash = n > 0 ? memrchr(exe, '/', (size_t)n) : NULL;
    if (slash)
        *slash = 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(out, size, "%s/%s", slash ? exe : ".", places[i]);
        if (stat(out, &st) == 0 && S_ISDIR(st.st_mode))
            return;
    }
}
