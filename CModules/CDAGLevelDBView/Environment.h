#ifndef CLEVELDB_VIEW_ENVIRONMENT_H
#define CLEVELDB_VIEW_ENVIRONMENT_H

// What LevelDB takes for a file system: a folder that is only read, under everything that LevelDB writes.

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "Files.h"
#include "include/CDAGLevelDBView.h"

namespace view {

class Environment : public leveldb::EnvWrapper {
  public:
    explicit Environment(std::string directory);

    // Looks at the folder, and opens what is in it, of tables `held_max` at most.
    leveldb_view_outcome look(size_t held_max, std::string *message);

    // From now on LevelDB writes no table any more, on whichever thread: its compactions come to nothing.
    void freeze() { frozen_ = true; }

    // Whether a file went away that was there when the folder was looked at.
    bool lost_file() const { return lost_; }

    size_t unheld_tables() const { return unheld_; }

    leveldb::Status NewSequentialFile(const std::string &path, leveldb::SequentialFile **result) override;
    leveldb::Status NewRandomAccessFile(const std::string &path, leveldb::RandomAccessFile **result) override;
    leveldb::Status NewWritableFile(const std::string &path, leveldb::WritableFile **result) override;
    leveldb::Status NewAppendableFile(const std::string &path, leveldb::WritableFile **result) override;
    bool FileExists(const std::string &path) override;
    leveldb::Status GetChildren(const std::string &directory, std::vector<std::string> *result) override;
    leveldb::Status RemoveFile(const std::string &path) override;
    leveldb::Status CreateDir(const std::string &directory) override;
    leveldb::Status RemoveDir(const std::string &directory) override;
    leveldb::Status GetFileSize(const std::string &path, uint64_t *size) override;
    leveldb::Status RenameFile(const std::string &from, const std::string &to) override;
    leveldb::Status LockFile(const std::string &path, leveldb::FileLock **lock) override;
    leveldb::Status UnlockFile(leveldb::FileLock *lock) override;
    leveldb::Status NewLogger(const std::string &path, leveldb::Logger **result) override;

    // Counts bytes that LevelDB keeps in memory; false if they would be too many.
    bool take(size_t count);

  private:
    bool hold(const std::string &name, size_t *room, std::string *message, leveldb_view_outcome *outcome);
    static std::string name_of(const std::string &path) { return path.substr(path.rfind('/') + 1); }
    leveldb::Status find(const std::string &path, std::shared_ptr<NewFile> *made, SourceFile *source);

    const std::string directory_;
    const std::thread::id opener_ = std::this_thread::get_id();
    std::atomic<bool> frozen_{false};
    std::atomic<bool> lost_{false};
    std::atomic<size_t> taken_{0};
    size_t unheld_ = 0;
    // Guards both maps: LevelDB's own thread looks for files too.
    std::mutex mutex_;
    std::map<std::string, SourceFile> source_;
    std::map<std::string, std::shared_ptr<NewFile>> made_;
};

}  // namespace view

#endif
