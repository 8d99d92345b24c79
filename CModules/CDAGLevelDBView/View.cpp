#include "include/CDAGLevelDBView.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

#if __has_include(<leveldb/db.h>)

#include <leveldb/cache.h>
#include <leveldb/db.h>

#include "Environment.h"

namespace {

// Of a block that LevelDB has read and checked, neighbours are read next; more would be kept for nobody.
constexpr size_t kCacheSize = size_t{8} << 20;

char *copied(const char *text) {
    char *copy = strdup(text);
    return copy;
}

leveldb_view_outcome outcome_of(const leveldb::Status &status, const view::Environment &files) {
    if (status.ok()) return leveldb_view_ok;
    if (files.lost_file()) return leveldb_view_changed;
    return leveldb_view_corrupt;
}

}  // namespace

struct leveldb_view {
    explicit leveldb_view(const char *directory) : files(directory) {}

    view::Environment files;
    leveldb::Cache *cache = nullptr;
    leveldb::DB *database = nullptr;
    // LevelDB threw, and may hold its own locks: it is left where it is, for the system to clear away.
    std::atomic<bool> is_broken{false};
};

struct leveldb_view_rows {
    leveldb_view *view;
    leveldb::Iterator *iterator;
    // What LevelDB threw; it is not asked again then.
    std::string thrown;

    template <typename Body>
    void guarded(Body body) {
        if (!thrown.empty()) return;
        try {
            body();
        } catch (const std::exception &error) {
            thrown = error.what();
        } catch (...) {
            thrown = "an exception";
        }
        if (!thrown.empty()) view->is_broken = true;
    }
};

leveldb_view_outcome leveldb_view_open(const char *directory, size_t held_max, leveldb_view **out_view,
                                       char **message) {
    *out_view = nullptr;
    *message = nullptr;
    leveldb_view *view = nullptr;
    try {
        view = new leveldb_view(directory);
        std::string text;
        leveldb_view_outcome outcome = view->files.look(held_max, &text);
        if (outcome != leveldb_view_ok) {
            *message = copied(text.c_str());
            delete view;
            return outcome;
        }
        leveldb::Options options;
        options.env = &view->files;
        options.paranoid_checks = true;
        // Tables that are held cost no descriptor of their own.
        options.max_open_files = view->files.unheld_tables() > 0 ? 64 + 10 : 1000;
        options.block_cache = view->cache = leveldb::NewLRUCache(kCacheSize);
        leveldb::Status status = leveldb::DB::Open(options, directory, &view->database);
        view->files.freeze();
        if (status.ok()) {
            *out_view = view;
            return leveldb_view_ok;
        }
        *message = copied(status.ToString().c_str());
        outcome = outcome_of(status, view->files);
        leveldb_view_close(view);
        return outcome;
    } catch (const std::exception &error) {
        // As above: what is half open is left where it is.
        *message = copied(error.what());
        return leveldb_view_corrupt;
    }
}

void leveldb_view_close(leveldb_view *view) {
    if (view == nullptr || view->is_broken) return;
    delete view->database;
    delete view->cache;
    delete view;
}

size_t leveldb_view_unheld_tables(const leveldb_view *view) { return view->files.unheld_tables(); }

leveldb_view_rows *leveldb_view_rows_from(leveldb_view *view, const char *key, size_t size) {
    auto *rows = new (std::nothrow) leveldb_view_rows{view, nullptr, {}};
    if (rows == nullptr) return nullptr;
    rows->guarded([&] {
        leveldb::ReadOptions options;
        options.verify_checksums = true;
        options.fill_cache = false;
        rows->iterator = view->database->NewIterator(options);
        rows->iterator->Seek(leveldb::Slice(key, size));
    });
    return rows;
}

int leveldb_view_rows_valid(const leveldb_view_rows *rows) {
    if (!rows->thrown.empty() || !rows->iterator->Valid()) return 0;
    // LevelDB passes over a table that it cannot read, and goes on after it: what comes then is not the next row.
    return rows->iterator->status().ok() ? 1 : 0;
}

const char *leveldb_view_rows_key(const leveldb_view_rows *rows, size_t *size) {
    const leveldb::Slice key = rows->iterator->key();
    *size = key.size();
    return key.data();
}

const char *leveldb_view_rows_value(const leveldb_view_rows *rows, size_t *size) {
    const leveldb::Slice value = rows->iterator->value();
    *size = value.size();
    return value.data();
}

void leveldb_view_rows_next(leveldb_view_rows *rows) {
    rows->guarded([&] { rows->iterator->Next(); });
}

leveldb_view_outcome leveldb_view_rows_outcome(const leveldb_view_rows *rows, char **message) {
    *message = nullptr;
    if (!rows->thrown.empty()) {
        *message = copied(rows->thrown.c_str());
        return leveldb_view_corrupt;
    }
    const leveldb::Status status = rows->iterator->status();
    if (status.ok()) return leveldb_view_ok;
    *message = copied(status.ToString().c_str());
    return outcome_of(status, rows->view->files);
}

void leveldb_view_rows_close(leveldb_view_rows *rows) {
    if (rows == nullptr) return;
    // An iterator that threw may be in no state to be taken apart.
    if (rows->thrown.empty()) delete rows->iterator;
    delete rows;
}

#else

leveldb_view_outcome leveldb_view_open(const char *, size_t, leveldb_view **out_view, char **message) {
    *out_view = nullptr;
    *message = strdup("LevelDB was not there when this was built");
    return leveldb_view_missing;
}

void leveldb_view_close(leveldb_view *) {}
size_t leveldb_view_unheld_tables(const leveldb_view *) { return 0; }
leveldb_view_rows *leveldb_view_rows_from(leveldb_view *, const char *, size_t) { return nullptr; }
int leveldb_view_rows_valid(const leveldb_view_rows *) { return 0; }
const char *leveldb_view_rows_key(const leveldb_view_rows *, size_t *size) { return *size = 0, nullptr; }
const char *leveldb_view_rows_value(const leveldb_view_rows *, size_t *size) { return *size = 0, nullptr; }
void leveldb_view_rows_next(leveldb_view_rows *) {}
leveldb_view_outcome leveldb_view_rows_outcome(const leveldb_view_rows *, char **message) {
    *message = nullptr;
    return leveldb_view_missing;
}
void leveldb_view_rows_close(leveldb_view_rows *) {}

#endif
