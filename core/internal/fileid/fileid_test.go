package fileid_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/fileid"
)

func TestIDChangesWithTheFileAndItsContent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	first := made(t, path, "content")
	if again := of(t, path); again != first {
		t.Errorf("%+v is not %+v", again, first)
	}
	if link := filepath.Join(dir, "link"); os.Symlink(path, link) == nil && of(t, link) != first {
		t.Error("a link and its target have different IDs")
	}
	if other := made(t, filepath.Join(dir, "b"), "content"); other == first {
		t.Error("two files have the same ID")
	}
	settle(t, path)
	if changed := made(t, path, "CONTENT"); changed == first {
		t.Error("a change of the content keeps the ID")
	}
}

func TestIDShowsAChangeWithItsTimeSetBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	made(t, path, "content")
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, past, past); err != nil {
		t.Fatal(err)
	}
	before := of(t, path)
	settle(t, path)
	made(t, path, "CONTENT")
	if err := os.Chtimes(path, past, past); err != nil {
		t.Fatal(err)
	}
	if after := of(t, path); after == before && runtime.GOOS != "windows" {
		t.Error("the ID does not show the change")
	}
}

func TestSettledIsFalseForAFreshFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	id := made(t, path, "content")
	now := time.Now()
	if id.Settled(now.Add(-time.Second)) || !id.Settled(now.Add(3*time.Second)) {
		t.Error("settled before it was written, or not long after")
	}
}

func made(t *testing.T, path, content string) fileid.ID {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return of(t, path)
}

func of(t *testing.T, path string) fileid.ID {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	id, ok := fileid.Of(file)
	if !ok {
		t.Skip("only on platforms with file identities")
	}
	return id
}

// settle waits until another change gives another ID.
func settle(t *testing.T, path string) {
	t.Helper()
	for !of(t, path).Settled(time.Now()) {
		<-time.After(time.Millisecond)
	}
}
