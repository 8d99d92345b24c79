#ifndef CLEVELDB_VIEW_FILES_H
#define CLEVELDB_VIEW_FILES_H

// The files that LevelDB sees: those of a folder as they were at one moment, and new ones in memory.

#include <leveldb/env.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

namespace view {

// A file descriptor that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    int number() const { return number_; }

  private:
    int number_;
};

// A file of the folder: held open, or to be opened when it is read.
struct SourceFile {
    std::shared_ptr<Descriptor> held;
    // As it was when the folder was looked at: a journal may have grown since.
    uint64_t size = 0;
};

// A file in memory.
struct NewFile {
    std::string bytes;
};

// Opens `path` to read; `size` receives how large it is. NULL with `errno` if that fails or it is no regular file.
std::shared_ptr<Descriptor> open_file(const std::string &path, uint64_t *size);

// Readers, each of which keeps what it reads alive.
leveldb::SequentialFile *sequential(std::shared_ptr<Descriptor> file, uint64_t size, std::string name);
leveldb::RandomAccessFile *random(std::shared_ptr<Descriptor> file, uint64_t size, std::string name);
leveldb::SequentialFile *sequential(std::shared_ptr<NewFile> file);
leveldb::RandomAccessFile *random(std::shared_ptr<NewFile> file);

}  // namespace view

#endif
