// SPDX-License-Identifier: Apache-2.0
// Inside filesystem: the files of a folder with how far each was read, and the lines of the file being read.
//
// Files are read in the order of their names, each from its beginning to its end; files must only grow, but may be renamed.
// The position is the list of files with an offset each, always at the start of a line, and a hash of what stands before it.
//
// Thread: home worker. Files are read in pieces of at most FS_PIECE bytes a call; regular files only, since reading
// others could block.
#ifndef FILESYSTEM_FILESYSTEM_H
#define FILESYSTEM_FILESYSTEM_H

#include <leat/option.h>
#include <leat/source.h>

#define FS_PIECE     (256u << 10)
#define FS_FILES_MAX 65536
#define FS_DEPTH_MAX 16
#define FS_HASHED    256 // bytes before the offset

struct fs_config {
    const char *path;
    const char *format;
    int64_t monitor_interval; // microseconds; LEAT_UNSET = read once and end
    int64_t max_line;
};

struct fs_file {
    char *name;      // as it is opened
    uint64_t offset; // everything before it has been given
    uint64_t size;   // when it was last looked at
    uint64_t hash;   // of the bytes before the offset, see fs_moved.c; 0 = not known
    uint64_t inode;  // when it was last looked at
    uint8_t here;    // it was there at the last look
    uint8_t still;   // it has not grown between the last two looks
    // during a look
    uint8_t found;
    uint64_t found_size, found_inode;
    uint8_t lost; // it has not the content that was read
    uint8_t heir; // it has that of another, which was read so far:
    uint64_t new_offset, new_hash;
};

struct fs_files {
    struct fs_file *items; // sorted by name
    uint32_t count, cap;
};

// --- fs_files.c
// Looks at `path`, a file or a folder, and takes in what is new or renamed. Fails when what was read of a file is gone.
leat_status fs_files_look(struct leat_ctx *ctx, struct fs_files *files, const char *path);
// A file that has more than its offset, at or behind position `from`; NULL = none.
struct fs_file *fs_files_next(struct fs_files *files, uint32_t from);
leat_status fs_files_save(struct leat_ctx *ctx, const struct fs_files *files, struct leat_state_out *out);
leat_status fs_files_load(struct leat_ctx *ctx, struct fs_files *files, const struct leat_state_in *in);
void fs_files_fini(struct fs_files *files);

// --- fs_moved.c
uint64_t fs_hash_before(int fd, uint64_t offset); // 0 = there is nothing, or it cannot be read
// Behind a listing: what was found becomes what is known.
leat_status fs_files_settle(struct leat_ctx *ctx, struct fs_files *files);

// --- fs_lines.c
struct fs_lines {
    int fd; // -1 = no file is open
    uint8_t *ptr;
    size_t len, cap;
    size_t next;     // start of the next line in ptr
    size_t searched; // no line ends before this
    uint64_t offset; // of ptr[next] in the file
    size_t max_line;
    uint8_t skipping; // a line longer than max_line is being passed by
    uint8_t end;      // the file's end was reached
};

leat_status fs_lines_open(struct leat_ctx *ctx, struct fs_lines *l, const char *name, uint64_t offset);
void fs_lines_close(struct fs_lines *l);
void fs_lines_fini(struct fs_lines *l);
// Up to n lines of what was read, without their ends. Nothing is used up. Only the first may be longer than max_line.
uint32_t fs_lines_peek(const struct fs_lines *l, struct leat_bytes *lines, uint32_t n);
// The first n lines are done with; `lines` are those that peek gave.
void fs_lines_drop(struct fs_lines *l, const struct leat_bytes *lines, uint32_t n);
// Reads on. LEAT_OK, or LEAT_END: the file has no more bytes now. LEAT_DATA: a line is too long, *line is its
// beginning; fs_lines_skip passes it by.
leat_status fs_lines_read(struct leat_ctx *ctx, struct fs_lines *l, const char *name, struct leat_bytes *line);
// Drops what belongs to the line that is passed by, with its end.
void fs_lines_skip(struct fs_lines *l);
// At the end of the file: what stands there without a line end counts as a line from now on. 0 = nothing does.
int fs_lines_take_rest(struct fs_lines *l);

// --- fs_source.c
extern const struct leat_source_ops fs_source_ops;

#endif
