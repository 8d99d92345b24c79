#if __has_include(<leveldb/env.h>)

#include "Environment.h"

#include <dirent.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace view {

using leveldb::Status;

namespace {

// What replayed journals may take: those of a node are a few megabytes.
constexpr size_t kMemoryMax = size_t{1} << 30;

bool ends_with(const std::string &name, const char *end) {
    const size_t size = strlen(end);
    return name.size() > size && name.compare(name.size() - size, size, end) == 0;
}

bool is_table(const std::string &name) { return ends_with(name, ".ldb") || ends_with(name, ".sst"); }

// How many tables may be held open: half of what the process may, the rest is for others.
size_t descriptors_for_tables() {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1 << 16;
    return static_cast<size_t>(limit.rlim_cur) / 2;
}

class MemoryFile : public leveldb::WritableFile {
  public:
    MemoryFile(std::shared_ptr<NewFile> file, Environment *owner) : file_(std::move(file)), owner_(owner) {}

    Status Append(const leveldb::Slice &data) override {
        if (!owner_->take(data.size())) return Status::IOError("the journals are over 1 GiB");
        file_->bytes.append(data.data(), data.size());
        return Status::OK();
    }
    Status Close() override { return Status::OK(); }
    Status Flush() override { return Status::OK(); }
    Status Sync() override { return Status::OK(); }

  private:
    std::shared_ptr<NewFile> file_;
    Environment *owner_;
};

class NoLock : public leveldb::FileLock {};

class NoLogger : public leveldb::Logger {
  public:
    void Logv(const char *, std::va_list) override {}
};

}  // namespace

Environment::Environment(std::string directory) : EnvWrapper(Env::Default()), directory_(std::move(directory)) {}

bool Environment::take(size_t count) { return taken_.fetch_add(count) + count <= kMemoryMax; }

// Opens a file of the folder; a table that there is no room for is only looked for.
bool Environment::hold(const std::string &name, size_t *room, std::string *message, leveldb_view_outcome *outcome) {
    SourceFile file;
    const std::string path = directory_ + "/" + name;
    file.held = open_file(path, &file.size);
    if (!file.held) {
        // What is gone was compacted away; LevelDB says so if the manifest still names it.
        if (errno == ENOENT) return true;
        *message = path + ": " + strerror(errno);
        *outcome = leveldb_view_unreadable;
        return false;
    }
    if (is_table(name)) {
        if (*room == 0) {
            file.held = nullptr;
            unheld_ += 1;
        } else {
            *room -= 1;
        }
    }
    source_[name] = std::move(file);
    return true;
}

leveldb_view_outcome Environment::look(size_t held_max, std::string *message) {
    std::vector<std::string> journals, tables;
    DIR *folder = opendir(directory_.c_str());
    if (folder == nullptr) {
        *message = directory_ + ": " + strerror(errno);
        return leveldb_view_unreadable;
    }
    while (const struct dirent *entry = readdir(folder)) {
        const std::string name = entry->d_name;
        if (ends_with(name, ".log")) journals.push_back(name);
        if (is_table(name)) tables.push_back(name);
    }
    closedir(folder);
    size_t room = std::min(held_max, descriptors_for_tables());
    leveldb_view_outcome outcome = leveldb_view_ok;
    // The journals first: one that is replaced meanwhile is in a table of the later manifest.
    for (const std::string &name : journals) {
        if (!hold(name, &room, message, &outcome)) return outcome;
    }
    if (!hold("CURRENT", &room, message, &outcome)) return outcome;
    char text[64];
    const auto current = source_.find("CURRENT");
    ssize_t size = -1;
    if (current != source_.end()) size = pread(current->second.held->number(), text, sizeof text, 0);
    const std::string name(text, static_cast<size_t>(std::max<ssize_t>(size, 0)));
    if (name.size() < 2 || name.back() != '\n' || name.compare(0, 9, "MANIFEST-") != 0 ||
        name.find('/') != std::string::npos) {
        *message = "CURRENT names no manifest";
        return leveldb_view_corrupt;
    }
    const std::string manifest = name.substr(0, name.size() - 1);
    if (!hold(manifest, &room, message, &outcome)) return outcome;
    if (source_.count(manifest) == 0) {
        *message = manifest + " went away";
        return leveldb_view_changed;
    }
    // The tables that the manifest names are among those that were there before it was opened, or came since.
    folder = opendir(directory_.c_str());
    if (folder == nullptr) {
        *message = directory_ + ": " + strerror(errno);
        return leveldb_view_unreadable;
    }
    while (const struct dirent *entry = readdir(folder)) {
        if (is_table(entry->d_name)) tables.push_back(entry->d_name);
    }
    closedir(folder);
    std::sort(tables.begin(), tables.end());
    tables.erase(std::unique(tables.begin(), tables.end()), tables.end());
    for (const std::string &table : tables) {
        if (!hold(table, &room, message, &outcome)) return outcome;
    }
    return leveldb_view_ok;
}

Status Environment::find(const std::string &path, std::shared_ptr<NewFile> *made, SourceFile *source) {
    const std::string name = name_of(path);
    {
        std::lock_guard<std::mutex> lock(mutex_);
        const auto own = made_.find(name);
        if (own != made_.end()) {
            *made = own->second;
            return Status::OK();
        }
        const auto theirs = source_.find(name);
        if (theirs == source_.end()) return Status::NotFound(path);
        *source = theirs->second;
    }
    if (source->held) return Status::OK();
    source->held = open_file(directory_ + "/" + name, &source->size);
    if (source->held) return Status::OK();
    if (errno != ENOENT) return Status::IOError(path, strerror(errno));
    lost_ = true;
    return Status::NotFound(path);
}

Status Environment::NewSequentialFile(const std::string &path, leveldb::SequentialFile **result) {
    std::shared_ptr<NewFile> made;
    SourceFile source;
    Status status = find(path, &made, &source);
    if (!status.ok()) return status;
    *result = made ? sequential(made) : sequential(source.held, source.size, path);
    return status;
}

Status Environment::NewRandomAccessFile(const std::string &path, leveldb::RandomAccessFile **result) {
    std::shared_ptr<NewFile> made;
    SourceFile source;
    Status status = find(path, &made, &source);
    if (!status.ok()) return status;
    *result = made ? random(made) : random(source.held, source.size, path);
    return status;
}

Status Environment::NewWritableFile(const std::string &path, leveldb::WritableFile **result) {
    const std::string name = name_of(path);
    // Replaying journals makes tables, on the thread that opens; what LevelDB's own thread makes is a compaction.
    if (is_table(name) && (frozen_ || std::this_thread::get_id() != opener_)) {
        return Status::IOError(path, "nothing is compacted here");
    }
    auto file = std::make_shared<NewFile>();
    {
        std::lock_guard<std::mutex> lock(mutex_);
        made_[name] = file;
    }
    *result = new MemoryFile(file, this);
    return Status::OK();
}

Status Environment::NewAppendableFile(const std::string &path, leveldb::WritableFile **) {
    return Status::IOError(path, "nothing is appended to");
}

bool Environment::FileExists(const std::string &path) {
    const std::string name = name_of(path);
    std::lock_guard<std::mutex> lock(mutex_);
    return made_.count(name) + source_.count(name) > 0;
}

Status Environment::GetChildren(const std::string &, std::vector<std::string> *result) {
    std::lock_guard<std::mutex> lock(mutex_);
    result->clear();
    for (const auto &file : source_) result->push_back(file.first);
    for (const auto &file : made_) {
        if (source_.count(file.first) == 0) result->push_back(file.first);
    }
    return Status::OK();
}

Status Environment::RemoveFile(const std::string &path) {
    const std::string name = name_of(path);
    std::lock_guard<std::mutex> lock(mutex_);
    if (made_.erase(name) == 0) source_.erase(name);
    return Status::OK();
}

Status Environment::CreateDir(const std::string &) { return Status::OK(); }
Status Environment::RemoveDir(const std::string &) { return Status::OK(); }

Status Environment::GetFileSize(const std::string &path, uint64_t *size) {
    std::shared_ptr<NewFile> made;
    SourceFile source;
    Status status = find(path, &made, &source);
    if (status.ok()) *size = made ? made->bytes.size() : source.size;
    return status;
}

Status Environment::RenameFile(const std::string &from, const std::string &to) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto file = made_.find(name_of(from));
    if (file == made_.end()) return Status::NotFound(from);
    made_[name_of(to)] = file->second;
    made_.erase(file);
    return Status::OK();
}

Status Environment::LockFile(const std::string &, leveldb::FileLock **lock) {
    *lock = new NoLock;
    return Status::OK();
}

Status Environment::UnlockFile(leveldb::FileLock *lock) {
    delete lock;
    return Status::OK();
}

Status Environment::NewLogger(const std::string &, leveldb::Logger **result) {
    *result = new NoLogger;
    return Status::OK();
}

}  // namespace view

#endif
