#if __has_include(<leveldb/env.h>)

#include "Files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace view {

using leveldb::Slice;
using leveldb::Status;

std::shared_ptr<Descriptor> open_file(const std::string &path, uint64_t *size) {
    int number;
    do {
        // A pipe of that name must not keep us waiting.
        number = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    } while (number < 0 && errno == EINTR);
    if (number < 0) return nullptr;
    auto file = std::make_shared<Descriptor>(number);
    struct stat status;
    if (fstat(number, &status) != 0) return nullptr;
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return nullptr;
    }
    *size = static_cast<uint64_t>(status.st_size);
    return file;
}

namespace {

// Reads up to `count` bytes at `offset`, fewer where the file ends; never more than `size` allows.
Status read_at(const Descriptor &file, uint64_t size, const std::string &name, uint64_t offset, size_t count,
               char *scratch, size_t *done) {
    *done = 0;
    if (offset >= size) return Status::OK();
    count = static_cast<size_t>(std::min<uint64_t>(count, size - offset));
    while (*done < count) {
        ssize_t part = pread(file.number(), scratch + *done, count - *done, static_cast<off_t>(offset + *done));
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) return Status::IOError(name, strerror(errno));
        if (part == 0) break;
        *done += static_cast<size_t>(part);
    }
    return Status::OK();
}

class SourceSequential : public leveldb::SequentialFile {
  public:
    SourceSequential(std::shared_ptr<Descriptor> file, uint64_t size, std::string name)
        : file_(std::move(file)), size_(size), name_(std::move(name)) {}

    Status Read(size_t count, Slice *result, char *scratch) override {
        size_t done;
        Status status = read_at(*file_, size_, name_, position_, count, scratch, &done);
        *result = Slice(scratch, done);
        position_ += done;
        return status;
    }

    Status Skip(uint64_t count) override {
        position_ = std::min(size_, position_ + std::min(size_, count));
        return Status::OK();
    }

  private:
    std::shared_ptr<Descriptor> file_;
    uint64_t size_;
    std::string name_;
    uint64_t position_ = 0;
};

class SourceRandom : public leveldb::RandomAccessFile {
  public:
    SourceRandom(std::shared_ptr<Descriptor> file, uint64_t size, std::string name)
        : file_(std::move(file)), size_(size), name_(std::move(name)) {}

    Status Read(uint64_t offset, size_t count, Slice *result, char *scratch) const override {
        size_t done;
        Status status = read_at(*file_, size_, name_, offset, count, scratch, &done);
        *result = Slice(scratch, done);
        return status;
    }

  private:
    std::shared_ptr<Descriptor> file_;
    uint64_t size_;
    std::string name_;
};

class NewSequential : public leveldb::SequentialFile {
  public:
    explicit NewSequential(std::shared_ptr<NewFile> file) : file_(std::move(file)) {}

    Status Read(size_t count, Slice *result, char *scratch) override {
        count = std::min(count, file_->bytes.size() - position_);
        memcpy(scratch, file_->bytes.data() + position_, count);
        *result = Slice(scratch, count);
        position_ += count;
        return Status::OK();
    }

    Status Skip(uint64_t count) override {
        position_ += static_cast<size_t>(std::min<uint64_t>(count, file_->bytes.size() - position_));
        return Status::OK();
    }

  private:
    std::shared_ptr<NewFile> file_;
    size_t position_ = 0;
};

class NewRandom : public leveldb::RandomAccessFile {
  public:
    explicit NewRandom(std::shared_ptr<NewFile> file) : file_(std::move(file)) {}

    Status Read(uint64_t offset, size_t count, Slice *result, char *scratch) const override {
        const size_t size = file_->bytes.size();
        const size_t start = static_cast<size_t>(std::min<uint64_t>(offset, size));
        count = std::min(count, size - start);
        memcpy(scratch, file_->bytes.data() + start, count);
        *result = Slice(scratch, count);
        return Status::OK();
    }

  private:
    std::shared_ptr<NewFile> file_;
};

}  // namespace

leveldb::SequentialFile *sequential(std::shared_ptr<Descriptor> file, uint64_t size, std::string name) {
    return new SourceSequential(std::move(file), size, std::move(name));
}

leveldb::RandomAccessFile *random(std::shared_ptr<Descriptor> file, uint64_t size, std::string name) {
    return new SourceRandom(std::move(file), size, std::move(name));
}

leveldb::SequentialFile *sequential(std::shared_ptr<NewFile> file) { return new NewSequential(std::move(file)); }

leveldb::RandomAccessFile *random(std::shared_ptr<NewFile> file) { return new NewRandom(std::move(file)); }

}  // namespace view

#endif
