#ifndef CLEVELDB_VIEW_H
#define CLEVELDB_VIEW_H

// A LevelDB that somebody else owns, and may be using, seen without writing a byte to its folder or anywhere else.
//
// LevelDB cannot be opened for reading: it takes the lock, replays journals into tables, writes a manifest, compacts,
// and removes what it thinks is old. Here it gets an environment in which all of that stays in memory, in which no
// compaction comes to anything, and in which the folder is what it was when it was opened: each file is opened then,
// so that a node may remove it meanwhile.
//
// Everything is C; no exception leaves it. Any thread may call anything, but one thread at a time moves a set of rows.

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leveldb_view leveldb_view;
typedef struct leveldb_view_rows leveldb_view_rows;

// How something ended.
typedef enum leveldb_view_outcome {
    leveldb_view_ok = 0,
    // The folder or a file in it cannot be read.
    leveldb_view_unreadable = 1,
    // A file went away meanwhile: another look may succeed.
    leveldb_view_changed = 2,
    // What is there is no sound LevelDB.
    leveldb_view_corrupt = 3,
    // LevelDB was not there when this was built.
    leveldb_view_missing = 4,
} leveldb_view_outcome;

// Opens the database in `directory`, and keeps at most `held_max` tables of it open, or half as many as the process may
// have files open. On failure `*message` tells why; it is freed with `free`.
leveldb_view_outcome leveldb_view_open(const char *directory, size_t held_max, leveldb_view **out_view,
                                       char **message);

// Closes it; no rows of it may be used any more.
void leveldb_view_close(leveldb_view *view);

// How many tables were too many to keep open; these are gone if the owner removes them.
size_t leveldb_view_unheld_tables(const leveldb_view *view);

// The rows from `key` on, in order of their keys; NULL where there is no memory.
leveldb_view_rows *leveldb_view_rows_from(leveldb_view *view, const char *key, size_t size);

// Whether there is a row here; if not, `leveldb_view_rows_outcome` tells whether this is the end.
int leveldb_view_rows_valid(const leveldb_view_rows *rows);

// Key and value of the row, until the next move.
const char *leveldb_view_rows_key(const leveldb_view_rows *rows, size_t *size);
const char *leveldb_view_rows_value(const leveldb_view_rows *rows, size_t *size);

// Goes to the next row.
void leveldb_view_rows_next(leveldb_view_rows *rows);

// How the walk ended. On failure `*message` tells why; it is freed with `free`.
leveldb_view_outcome leveldb_view_rows_outcome(const leveldb_view_rows *rows, char **message);

// Ends the walk.
void leveldb_view_rows_close(leveldb_view_rows *rows);

#ifdef __cplusplus
}
#endif

#endif
