// SPDX-License-Identifier: Apache-2.0
#include "plugin/loader.h"
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "plugin/check.h"
void plugin_load_dir(struct plugin_registry *registry, const char *dir, struct base_diags *diags)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[4096];
        size_t n = strlen(e->d_name);
        if (n < 4 || strcmp(e->d_name + n - 3, ".so") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        leat_plugin_entry_fn entry = so ? (leat_plugin_entry_fn)dlsym(so, "leat_plugin_entry") : NULL;
        struct base_error err;
        if (!entry)
            base_diag_add(diags, LEAT_DIAG_ERROR, "LEAT-P0001", NULL, NULL, "%s: %s", path, dlerror());
        else if (plugin_registry_add(registry, path, entry(plugin_check_host()), &err) < 0)
            base_diag_add(diags, LEAT_DIAG_ERROR, err.code, NULL, NULL, "%s", err.message);
    }
    if (d)
        closedir(d);
}
