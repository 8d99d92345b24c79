// Registers a CAR, reads and verifies every block, and shows what errors look like.
//
//     c++ -std=c++17 example.cpp $(pkg-config --cflags --libs dagstore) -o example
//     ./example STORE_DIRECTORY /absolute/path/of/some.car
#include <dagstore.h>

#include <cstring>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// A handle that is released when it goes out of scope.
template <typename T, void (*Release)(T *)>
struct Releaser {
    void operator()(T *handle) const { Release(handle); }
};
using Store = std::unique_ptr<dagstore_t, Releaser<dagstore_t, dagstore_close>>;
using Shard = std::unique_ptr<dagstore_shard_t, Releaser<dagstore_shard_t, dagstore_shard_release>>;
using Block = std::unique_ptr<dagstore_block_t, Releaser<dagstore_block_t, dagstore_block_release>>;
using Entries = std::unique_ptr<dagstore_entries_t, Releaser<dagstore_entries_t, dagstore_entries_close>>;
using Places = std::unique_ptr<dagstore_places_t, Releaser<dagstore_places_t, dagstore_places_close>>;

// The error of a call.
struct Error : std::runtime_error {
    dagstore_status_t status;

    Error(dagstore_status_t status, const char *message) : std::runtime_error(message), status(status) {}
};

// Calls a function of the library, whose last argument receives its error.
template <typename Function, typename... Arguments>
dagstore_status_t call(Function function, Arguments... arguments) {
    dagstore_error_t *error = nullptr;
    const auto status = function(arguments..., &error);
    if (status >= 0) return status;
    const Error failure(status, dagstore_error_message(error));
    dagstore_error_release(error);
    throw failure;
}

// Calls a function that gives out a handle, in the argument before its error.
template <typename Handle, typename Function, typename... Arguments>
Handle make(Function function, Arguments... arguments) {
    typename Handle::pointer handle = nullptr;
    call(function, arguments..., &handle);
    return Handle(handle);
}

using Bytes = std::vector<uint8_t>;

static std::string text(const Bytes &cid) {
    size_t size = 0;
    std::string text(256, '\0');
    call(dagstore_cid_format, cid.data(), cid.size(), text.data(), text.size(), &size);
    text.resize(size - 1);
    return text;
}

static void walk(dagstore_shard_t *shard) {
    const auto entries = make<Entries>(dagstore_entries_open, shard);
    dagstore_entry_t entry{};
    entry.size = sizeof entry;
    uint64_t count = 0, bytes = 0;
    while (call(dagstore_entries_next, entries.get(), &entry) == DAGSTORE_OK) {
        const auto block = make<Block>(dagstore_shard_get, shard, entry.cid.data, entry.cid.size);
        const auto verified =
            make<Block>(dagstore_block_verified, block.get(), entry.cid.data, entry.cid.size);
        bytes += dagstore_block_bytes(verified.get()).size;
        count += 1;
    }
    std::cout << "walked " << count << " entries, " << bytes << " bytes, verified\n";
}

static void look(dagstore_t *store, dagstore_shard_t *shard, const Bytes &cid) {
    dagstore_location_t location{};
    location.size = sizeof location;
    call(dagstore_shard_locate, shard, cid.data(), cid.size(), &location);
    Bytes buffer(location.block_size);
    size_t size = 0;
    call(dagstore_shard_read, shard, cid.data(), cid.size(), buffer.data(), buffer.size(), &size);

    const auto block = make<Block>(dagstore_get, store, cid.data(), cid.size(), 0u);
    const auto bytes = dagstore_block_bytes(block.get());
    if (Bytes(bytes.data, bytes.data + bytes.size) != buffer) throw std::runtime_error("another block");

    const auto places = make<Places>(dagstore_find, store, cid.data(), cid.size());
    dagstore_place_t place{};
    place.size = sizeof place;
    call(dagstore_places_next, places.get(), &place);
    std::cout << "root " << text(cid) << " at " << location.offset << ", " << size << " bytes, in "
              << place.key << "\n";
}

template <typename Body>
static void expect(dagstore_status_t expected, Body body) {
    try {
        body();
    } catch (const Error &error) {
        if (error.status != expected || std::strlen(error.what()) == 0) throw;
        std::cout << "error " << dagstore_status_name(error.status) << "\n";
        return;
    }
    throw std::runtime_error("no error");
}

static void run(const char *directory, const std::string &url) {
    dagstore_config_t config;
    call(dagstore_config_init, &config, sizeof config);
    config.idle_shards_max = 16;
    const auto store = make<Store>(dagstore_open, directory, &config);
    call(dagstore_register, store.get(), "example", url.c_str(), 0u);
    auto shard = make<Shard>(dagstore_acquire, store.get(), "example", 10000u);
    std::cout << "blocks " << dagstore_shard_block_count(shard.get()) << "\n";
    walk(shard.get());
    for (size_t index = 0; index < dagstore_shard_root_count(shard.get()); index++) {
        Bytes root(DAGSTORE_CID_SIZE);
        size_t size = 0;
        call(dagstore_shard_root, shard.get(), index, root.data(), root.size(), &size);
        root.resize(size);
        look(store.get(), shard.get(), root);
    }

    expect(DAGSTORE_SHARD_UNKNOWN, [&] { make<Shard>(dagstore_acquire, store.get(), "nobody", 0u); });
    expect(DAGSTORE_INVALID_CID, [] {
        size_t size = 0;
        call(dagstore_cid_parse, "not a CID", static_cast<uint8_t *>(nullptr), size_t{0}, &size);
    });
    expect(DAGSTORE_SHARD_EXISTS, [&] { call(dagstore_register, store.get(), "example", url.c_str(), 0u); });

    shard.reset();
    call(dagstore_destroy, store.get(), "example");
}

int main(int argc, char **argv) {
    if (argc != 3) {
        std::cerr << "usage: " << argv[0] << " STORE_DIRECTORY CAR_FILE\n";
        return 2;
    }
    if (dagstore_abi_version() != DAGSTORE_ABI_VERSION) return 1;
    try {
        run(argv[1], "file://" + std::string(argv[2]));
    } catch (const std::exception &error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
    std::cout << dagstore_live_handles() << " handles left\n";
}
