package fetch_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/fetch"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// patience bounds everything that must not hang.
const patience = 30 * time.Second

// markVariable names a file that a running plugin makes.
const markVariable = "FETCH_TEST_MARK"

// The test binary is its own plugin.
func TestMain(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "greet-plugin-loud") {
		if mark := os.Getenv(markVariable); mark != "" {
			_ = os.WriteFile(mark, nil, 0o600)
		}
		fmt.Println(`{"describe": 1, "name": "loud", "version": "1.4.0", "protocols": [{"version": 5}]}`)
		os.Exit(0)
	}
	// Processes of the race detector's take a second to end otherwise.
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	os.Exit(m.Run())
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func platform() string { return discovery.ThisPlatform().String() }

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// The names of one release.
var (
	program = "greet-plugin-loud_v1.4.0_x5.0_" + platform() + exe()
	tarball = "greet-plugin-loud_1.4.0_" + platform() + ".tar.gz"
	zipped  = "greet-plugin-loud_1.4.0_" + platform() + ".zip"
)

// release has the content of each file.
var release = sync.OnceValue(func() map[string][]byte {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		panic(err)
	}
	return map[string][]byte{program: binary, tarball: pack(binary), zipped: packZip(binary)}
})

func pack(binary []byte) []byte {
	var out bytes.Buffer
	packed, _ := gzip.NewWriterLevel(&out, gzip.NoCompression)
	w := tar.NewWriter(packed)
	_ = w.WriteHeader(&tar.Header{Name: "README.md", Typeflag: tar.TypeReg, Mode: 0o644, Size: 4})
	_, _ = io.WriteString(w, "read")
	_ = w.WriteHeader(&tar.Header{Name: "greet-plugin-loud" + exe(), Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(binary))})
	_, _ = w.Write(binary)
	_ = w.Close()
	_ = packed.Close()
	return out.Bytes()
}

func packZip(binary []byte) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	file, _ := w.CreateHeader(&zip.FileHeader{Name: "greet-plugin-loud" + exe(), Method: zip.Store})
	_, _ = file.Write(binary)
	_ = w.Close()
	return out.Bytes()
}

func list(names ...string) []byte {
	var l sums.List
	for _, name := range names {
		l = l.Set(name, sums.Of(release()[name]))
	}
	return l.Format()
}

// world is a server with files, a second server, and a user's installation.
type world struct {
	server, other *httptest.Server
	store         store.Store
	fetcher       fetch.Fetcher

	mu     sync.Mutex
	files  map[string]http.HandlerFunc // of the server, by path
	others map[string]http.HandlerFunc
	asked  []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{files: make(map[string]http.HandlerFunc), others: make(map[string]http.HandlerFunc)}
	w.server, w.other = httptest.NewTLSServer(w.handler(w.files)), httptest.NewTLSServer(w.handler(w.others))
	t.Cleanup(w.server.Close)
	t.Cleanup(w.other.Close)
	w.store = store.Store{Dir: filepath.Join(t.TempDir(), "plugins"), Naming: discovery.Naming{App: "greet"}}
	w.store.Describer.Timeout = patience
	w.fetcher.Transport = w.server.Client().Transport // it trusts both
	for name, content := range release() {
		w.serve("/"+name, content)
	}
	return w
}

func (w *world) handler(files map[string]http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, request.URL.Path)
		file := files[request.URL.Path]
		w.mu.Unlock()
		if file == nil {
			http.NotFound(out, request)
			return
		}
		file(out, request)
	})
}

// content serves bytes with their length.
func content(data []byte) http.HandlerFunc {
	return func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = out.Write(data)
	}
}

func redirect(to string) http.HandlerFunc {
	return func(out http.ResponseWriter, request *http.Request) {
		http.Redirect(out, request, to, http.StatusFound)
	}
}

func (w *world) serve(path string, data []byte) { w.handle(path, content(data)) }

func (w *world) handle(path string, handle http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files[path] = handle
}

// install installs a file of the server.
func (w *world) install(t testing.TB, name string) (*store.Item, error) {
	t.Helper()
	return w.fetcher.Install(within(t), w.store, fetch.Source{Location: w.server.URL + "/" + name}, store.InstallOptions{AppVersions: []int{5}})
}

func (w *world) installed(t *testing.T, item *store.Item, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
		return
	}
	if item.Name != "loud" || item.Version.String() != "1.4.0" || item.Description == nil || item.Sum != sums.Of(release()[program]) {
		t.Errorf("got %+v", item)
	}
	if err := w.store.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// refused checks that nothing of a plugin is in the store.
func (w *world) refused(t *testing.T, item *store.Item, err, want error) {
	t.Helper()
	if want != nil && !errors.Is(err, want) || err == nil {
		t.Errorf("got %+v, %v, want %v", item, err, want)
	}
	entries, readErr := os.ReadDir(w.store.Dir)
	if readErr != nil && !errors.Is(readErr, os.ErrNotExist) {
		t.Error(readErr)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".lock") { // Windows keeps it
			t.Errorf("there is %s", entry.Name())
		}
	}
}

func (w *world) wasAsked(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.asked, path)
}
