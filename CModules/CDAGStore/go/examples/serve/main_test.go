package main

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	dagstore "github.com/swift-dagstore/dagstore-go"
)

// TestServe serves a folder with a CAR and a file that is none.
func TestServe(t *testing.T) {
	folder := t.TempDir()
	text := "served"
	// The CID of the block has its bytes; the CAR has it as root.
	cid := dagstore.CID("\x01\x55\x00\x06" + text)
	car := []byte("\x1b\xa2\x65roots\x81\xd8\x2a\x4b\x00" + string(cid) + "\x67version\x01")
	car[0] = byte(len(car) - 1)
	// "served" again under its real hash, so that the store must look for it.
	hashed, err := dagstore.ParseCID("bafkreiep5cf7afnvhm33l6ue3rzgzwj2vtfjp5qbdbn6ch27w5h2hv3yai")
	check(t, err)
	for _, cid := range []dagstore.CID{cid, hashed} {
		car = binary.AppendUvarint(car, uint64(len(cid)+len(text)))
		car = append(append(car, cid...), text...)
	}
	check(t, os.WriteFile(filepath.Join(folder, "a.car"), car, 0o644))
	check(t, os.WriteFile(filepath.Join(folder, "broken.car"), []byte("no CAR"), 0o644))

	store, err := dagstore.Open(filepath.Join(folder, "store"), nil)
	check(t, err)
	defer store.Close()
	for range 2 {
		check(t, registerFolder(t.Context(), store, folder))
	}
	server := httptest.NewServer(handler(store))
	defer server.Close()
	for path, expected := range map[string]struct {
		status int
		body   string
	}{
		"/block/" + hashed.String(): {http.StatusOK, text},
		"/block/" + cid.String():    {http.StatusOK, text},
		"/block/x":                  {http.StatusBadRequest, ""},
		"/block/bafkreiaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": {http.StatusNotFound, ""},
	} {
		response, err := http.Get(server.URL + path)
		check(t, err)
		body, err := io.ReadAll(response.Body)
		check(t, err)
		response.Body.Close()
		if response.StatusCode != expected.status || expected.body != "" && string(body) != expected.body {
			t.Errorf("%s gave %s with %q", path, response.Status, body)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
