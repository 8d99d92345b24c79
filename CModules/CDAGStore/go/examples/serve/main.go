// Serve registers the CARs of a folder, and serves their blocks.
//
//	serve STORE_DIRECTORY FOLDER ADDRESS
//	curl http://ADDRESS/block/CID
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// registerFolder registers each CAR of a folder under its name, and skips those that the store has.
func registerFolder(ctx context.Context, store *dagstore.Store, folder string) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.car"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		url, err := dagstore.FileURL(path)
		if err != nil {
			return err
		}
		key := strings.TrimSuffix(filepath.Base(path), ".car")
		if err := store.Register(ctx, key, url, nil); err != nil && !errors.Is(err, dagstore.ErrShardExists) {
			log.Print(err) // The shard stays registered as failed; the others can be served.
		}
	}
	return nil
}

// handler serves GET /block/CID.
func handler(store *dagstore.Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /block/{cid}", func(w http.ResponseWriter, r *http.Request) {
		cid, err := dagstore.ParseCID(r.PathValue("cid"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		block, err := store.Get(r.Context(), cid)
		switch {
		case errors.Is(err, dagstore.ErrBlockNotFound):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadGateway)
		default:
			w.Header().Set("Content-Type", "application/vnd.ipld.raw")
			w.Write(block)
		}
	})
	return mux
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: serve STORE_DIRECTORY FOLDER ADDRESS")
	}
	dagstore.InstallMappingGuard()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	store, err := dagstore.Open(os.Args[1], nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := registerFolder(ctx, store, os.Args[2]); err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: os.Args[3], Handler: handler(store)}
	context.AfterFunc(ctx, func() { server.Shutdown(context.Background()) })
	log.Print(server.ListenAndServe())
	if err := store.Close(); err != nil {
		log.Fatal(err)
	}
}
