package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery/fetch"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

func TestInstallUsesTheListOfSumsBesideARelease(t *testing.T) {
	for name, listName := range map[string]string{
		tarball: "greet-plugin-loud_1.4.0_SHA256SUMS",
		zipped:  "greet-plugin-loud_1.4.0_checksums.txt",
		program: "greet-plugin-loud_v1.4.0_SHA256SUMS",
	} {
		lists := []string{listName}
		if name == tarball {
			lists = append(lists, "SHA256SUMS", "checksums.txt", name+".sha256")
		}
		for _, listName := range lists {
			w := newWorld(t)
			w.serve("/"+listName, list(name))
			var last store.Progress
			address := w.server.URL + "/" + name
			item, err := w.fetcher.Install(within(t), w.store, fetch.Source{Location: address}, store.InstallOptions{
				Progress: func(p store.Progress) {
					switch p.Stage {
					case "download":
						last = p
					case "copy":
						t.Errorf("progress %+v", p)
					}
				},
			})
			w.installed(t, item, err)
			if size := int64(len(release()[name])); last.Done != size || last.Total != size {
				t.Errorf("%s: progress ended with %+v of %d", name, last, size)
			}
			if item != nil && item.Source != address {
				t.Errorf("%s: came from %s", name, item.Source)
			}
		}
	}
}

func TestInstallTakesASumAloneBesideTheFile(t *testing.T) {
	w := newWorld(t)
	w.serve("/"+tarball+".sha256", []byte(sums.Of(release()[tarball]).String()+"\n"))
	item, err := w.install(t, tarball)
	w.installed(t, item, err)
}

// Another version's release leaves such a list.
func TestInstallSkipsAListWithoutTheFile(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(zipped))
	w.serve("/checksums.txt", list(tarball))
	item, err := w.install(t, tarball)
	w.installed(t, item, err)
}

func TestInstallRefusesAnAddressWithoutASumUnlessAllowed(t *testing.T) {
	w := newWorld(t)
	item, err := w.install(t, tarball)
	w.refused(t, item, err, fetch.ErrUnverified)
	if w.wasAsked("/" + tarball) {
		t.Error("it was downloaded")
	}
	source := fetch.Source{Location: w.server.URL + "/" + tarball}
	item, err = w.fetcher.Install(within(t), w.store, source, store.InstallOptions{Want: sums.Of(release()[tarball])})
	w.installed(t, item, err)
	w.fetcher.AllowUnverified = true
	item, err = w.install(t, tarball)
	w.installed(t, item, err)
}

func TestInstallRefusesAWrongSumBeforeAnythingRuns(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "ran")
	t.Setenv(markVariable, mark)
	w := newWorld(t)
	wrong := sums.List{{Name: tarball, Sum: sums.Of([]byte("another"))}}
	w.serve("/SHA256SUMS", wrong.Format())
	item, err := w.install(t, tarball)
	w.refused(t, item, err, nil)
	var mismatch *sums.MismatchError
	if !errors.As(err, &mismatch) || mismatch.Got != sums.Of(release()[tarball]) || mismatch.Want != wrong[0].Sum {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the plugin was run: %v", err)
	}
	w.serve("/SHA256SUMS", list(tarball))
	item, err = w.install(t, tarball)
	w.installed(t, item, err)
	if _, err := os.Stat(mark); err != nil {
		t.Error("the plugin was not asked: ", err)
	}
}

func TestInstallRefusesAContradictoryList(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", append(list(tarball), []byte(sums.Of(nil).String()+"  "+tarball+"\n")...))
	item, err := w.install(t, tarball)
	w.refused(t, item, err, sums.ErrAmbiguous)

	w.serve("/SHA256SUMS", list(tarball))
	item, err = w.fetcher.Install(within(t), w.store, fetch.Source{Location: w.server.URL + "/" + tarball}, store.InstallOptions{Want: sums.Of(nil)})
	w.refused(t, item, err, nil)
	var mismatch *sums.MismatchError
	if !errors.As(err, &mismatch) {
		t.Errorf("got %v", err)
	}
}

func TestInstallTakesTheCallersList(t *testing.T) {
	w := newWorld(t)
	w.others["/sums.txt"] = content(list(tarball))
	path := filepath.Join(t.TempDir(), "sums")
	if err := os.WriteFile(path, list(tarball), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), tarball)
	if err := os.WriteFile(file, release()[tarball], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, location := range []string{w.server.URL + "/" + tarball, file} {
		for _, listAt := range []string{w.other.URL + "/sums.txt", path} {
			item, err := w.fetcher.Install(within(t), w.store, fetch.Source{Location: location, Sums: listAt}, store.InstallOptions{})
			w.installed(t, item, err)
		}
	}
	item, err := w.fetcher.Install(within(t), w.store, fetch.Source{Location: file}, store.InstallOptions{})
	w.installed(t, item, err)

	w = newWorld(t)
	if err := os.WriteFile(path, list(zipped), 0o600); err != nil {
		t.Fatal(err)
	}
	item, err = w.fetcher.Install(within(t), w.store, fetch.Source{Location: file, Sums: path}, store.InstallOptions{})
	w.refused(t, item, err, sums.ErrNotListed)
	item, err = w.fetcher.Install(within(t), w.store, fetch.Source{Location: file, Sums: w.server.URL + "/none"}, store.InstallOptions{})
	w.refused(t, item, err, nil)
	item, err = w.fetcher.Install(within(t), w.store, fetch.Source{Location: file, Sums: path + "none"}, store.InstallOptions{})
	w.refused(t, item, err, os.ErrNotExist)
}

func TestInstallKeepsTheQueryForFilesBeside(t *testing.T) {
	w := newWorld(t)
	for path, data := range map[string][]byte{"/a b/" + tarball: release()[tarball], "/a b/SHA256SUMS": list(tarball)} {
		w.handle(path, func(out http.ResponseWriter, request *http.Request) {
			if request.URL.Query().Get("key") != "k" {
				http.Error(out, "no key", http.StatusForbidden)
				return
			}
			content(data)(out, request)
		})
	}
	item, err := w.install(t, "a%20b/"+tarball+"?key=k")
	w.installed(t, item, err)
}

func TestPlainHTTPIsOnlyForThisMachine(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(tarball))
	plain := httptest.NewServer(w.handler(w.files))
	defer plain.Close()
	w.fetcher.Transport = nil
	item, err := w.fetcher.Install(within(t), w.store, fetch.Source{Location: plain.URL + "/" + tarball}, store.InstallOptions{})
	w.installed(t, item, err)

	asked := 0
	nobody := roundTripper(func(*http.Request) (*http.Response, error) { asked++; return nil, errors.New("asked") })
	w.fetcher.Transport = nobody
	source := fetch.Source{Location: "http://plugins.example.com/" + tarball}
	if _, err := w.fetcher.Install(within(t), w.store, source, store.InstallOptions{}); !errors.Is(err, fetch.ErrInsecure) || asked > 0 || strings.Contains(err.Error(), "SUMS") {
		t.Errorf("asked %d times, %v", asked, err)
	}
	w.fetcher.AllowHTTP = true
	if _, err := w.fetcher.Install(within(t), w.store, source, store.InstallOptions{}); errors.Is(err, fetch.ErrInsecure) || asked == 0 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

func TestInstallRefusesABrokenAddress(t *testing.T) {
	w := newWorld(t)
	for _, location := range []string{"ftp://example.com/x", "https:///x", "https://%zz/", "file:///etc/passwd", w.server.URL, w.server.URL + "/"} {
		item, err := w.fetcher.Install(within(t), w.store, fetch.Source{Location: location}, store.InstallOptions{})
		w.refused(t, item, err, nil)
	}
}

func TestStatusErrorQuotesTheServer(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(tarball))
	for code, handle := range map[int]http.HandlerFunc{
		http.StatusServiceUnavailable: func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusServiceUnavailable) },
		http.StatusNotFound:           http.NotFound,
		http.StatusPartialContent:     func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusPartialContent) },
	} {
		w.handle("/"+tarball, handle)
		item, err := w.install(t, tarball)
		w.refused(t, item, err, nil)
		var status *fetch.StatusError
		if !errors.As(err, &status) || status.Code != code || !strings.Contains(err.Error(), tarball) {
			t.Errorf("%d: %v", code, err)
		}
	}
	// A list out of reach now may exist: nobody may go on as if it did not.
	w.handle("/SHA256SUMS", func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusBadGateway) })
	w.fetcher.AllowUnverified = true
	item, err := w.install(t, tarball)
	w.refused(t, item, err, nil)
}

func TestTransferThatStallsEnds(t *testing.T) {
	w := newWorld(t)
	w.fetcher.StallTimeout = time.Second
	w.serve("/SHA256SUMS", list(tarball))
	data := release()[tarball]
	for title, test := range map[string]struct {
		handle http.HandlerFunc
		got    int64
	}{
		"before the answer": {handle: stall},
		"in the middle": {got: 1000, handle: func(out http.ResponseWriter, request *http.Request) {
			out.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = out.Write(data[:1000])
			_ = http.NewResponseController(out).Flush()
			<-request.Context().Done()
		}},
	} {
		w.handle("/"+tarball, test.handle)
		item, err := w.install(t, tarball)
		w.refused(t, item, err, fetch.ErrStalled)
		var broken *fetch.TransferError
		if !errors.As(err, &broken) || broken.Got != test.got {
			t.Errorf("%s: %+v, %v", title, broken, err)
		}
	}
	w.handle("/"+tarball, content(data))
	w.handle("/SHA256SUMS", stall)
	item, err := w.install(t, tarball)
	w.refused(t, item, err, fetch.ErrStalled)
}

// stall never answers: a handler that returned at the end of the request would answer
// with an empty file, if the end was that of a connection and the client asked again.
func stall(_ http.ResponseWriter, request *http.Request) {
	<-request.Context().Done()
	panic(http.ErrAbortHandler)
}

func TestTransferThatIsSlowGoesOn(t *testing.T) {
	w := newWorld(t)
	w.fetcher.StallTimeout = 2 * time.Second
	w.serve("/SHA256SUMS", list(tarball))
	data := release()[tarball]
	w.handle("/"+tarball, func(out http.ResponseWriter, _ *http.Request) {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for part := range slices.Chunk(data, len(data)/25) {
			_, _ = out.Write(part)
			_ = http.NewResponseController(out).Flush()
			<-tick.C
		}
	})
	item, err := w.install(t, tarball)
	w.installed(t, item, err)
}

func TestTransferThatIsCutFails(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(tarball))
	data := release()[tarball]
	for title, test := range map[string]struct {
		length string
		want   int64
	}{
		"with a length": {fmt.Sprintf("Content-Length: %d\r\n", len(data)), int64(len(data))},
		"in chunks":     {"Transfer-Encoding: chunked\r\n", -1},
	} {
		w.handle("/"+tarball, func(out http.ResponseWriter, _ *http.Request) {
			conn, buffer, err := http.NewResponseController(out).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(buffer, "HTTP/1.1 200 OK\r\n%s\r\n", test.length)
			if test.want < 0 {
				fmt.Fprintf(buffer, "%x\r\n", 5000)
			}
			_, _ = buffer.Write(data[:5000])
			_ = buffer.Flush()
		})
		item, err := w.install(t, tarball)
		w.refused(t, item, err, nil)
		var broken *fetch.TransferError
		if !errors.As(err, &broken) || broken.Got != 5000 || broken.Want != test.want || !strings.Contains(err.Error(), "5000") {
			t.Errorf("%s: %+v, %v", title, broken, err)
		}
	}
}

func TestTransferOfAnotherLengthFails(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(tarball))
	data := release()[tarball]
	hijacked := func(length int) http.HandlerFunc {
		return func(out http.ResponseWriter, _ *http.Request) {
			conn, buffer, err := http.NewResponseController(out).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(buffer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", length)
			_, _ = buffer.Write(data)
			_ = buffer.Flush()
		}
	}
	var broken *fetch.TransferError
	w.handle("/"+tarball, hijacked(len(data)+1))
	item, err := w.install(t, tarball)
	w.refused(t, item, err, nil)
	if !errors.As(err, &broken) || broken.Got != int64(len(data)) || broken.Want != int64(len(data)+1) {
		t.Errorf("more: %v", err)
	}
	var mismatch *sums.MismatchError
	w.handle("/"+tarball, hijacked(len(data)-1))
	item, err = w.install(t, tarball)
	w.refused(t, item, err, nil)
	if !errors.As(err, &mismatch) {
		t.Errorf("less: %v", err)
	}
	// Without a sum it shows in the archive.
	var archive *store.ArchiveError
	w.handle("/SHA256SUMS", nil)
	w.fetcher.AllowUnverified = true
	item, err = w.install(t, tarball)
	w.refused(t, item, err, nil)
	if !errors.As(err, &archive) || !strings.Contains(err.Error(), "breaks off") {
		t.Errorf("less, without a sum: %v", err)
	}
}

func TestTransferOfTooMuchIsRefused(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(tarball))
	endless := func(out http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := out.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	install := store.InstallOptions{MaxSize: 1 << 20}
	for title, handle := range map[string]http.HandlerFunc{
		"as it says": func(out http.ResponseWriter, request *http.Request) {
			out.Header().Set("Content-Length", fmt.Sprint(1<<40))
			endless(out, request)
		},
		"without a word": endless,
	} {
		w.handle("/"+tarball, handle)
		item, err := w.fetcher.Install(within(t), w.store, fetch.Source{Location: w.server.URL + "/" + tarball}, install)
		w.refused(t, item, err, nil)
		var large *store.SizeError
		if !errors.As(err, &large) || large.Limit != install.MaxSize {
			t.Errorf("%s: %v", title, err)
		}
	}
	w.handle("/SHA256SUMS", endless)
	item, err := w.install(t, tarball)
	w.refused(t, item, err, nil)
	var large *store.SizeError
	if !errors.As(err, &large) {
		t.Errorf("the list: %v", err)
	}
}

func TestTransferEndsWithTheContext(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(tarball))
	ctx, cancel := context.WithCancelCause(within(t))
	gone := errors.New("the user left")
	w.handle("/"+tarball, func(out http.ResponseWriter, request *http.Request) {
		_, _ = out.Write(make([]byte, 1000))
		_ = http.NewResponseController(out).Flush()
		cancel(gone)
		<-request.Context().Done()
	})
	item, err := w.fetcher.Install(ctx, w.store, fetch.Source{Location: w.server.URL + "/" + tarball}, store.InstallOptions{})
	w.refused(t, item, err, gone)
}

// An encoding on the way must not change the content of the sum.
func TestTransferAsksForNoEncoding(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(tarball))
	w.handle("/"+tarball, func(out http.ResponseWriter, request *http.Request) {
		if got := request.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("asked for %q", got)
		}
		out.Header().Set("Content-Encoding", "gzip") // as some servers call any .gz
		content(release()[tarball])(out, request)
	})
	item, err := w.install(t, tarball)
	w.installed(t, item, err)
}

func TestInstallLeavesNoGoroutine(t *testing.T) {
	w := newWorld(t)
	plain := httptest.NewServer(w.handler(w.files))
	w.serve("/SHA256SUMS", list(tarball))
	w.fetcher.Transport = nil
	before := runtime.NumGoroutine()
	for range 3 {
		item, err := w.fetcher.Install(within(t), w.store, fetch.Source{Location: plain.URL + "/" + tarball}, store.InstallOptions{})
		w.installed(t, item, err)
	}
	plain.Close()
	deadline := time.After(patience)
	for runtime.NumGoroutine() > before {
		select {
		case <-time.After(time.Millisecond):
		case <-deadline:
			var stacks [1 << 16]byte
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks[:], true)])
		}
	}
}

func TestSearchLinksNeitherHTTPNorArchives(t *testing.T) {
	network := []string{"net/http", "aead.dev/minisign", "crypto/tls"}
	for folder, heavy := range map[string][]string{
		"..":       append([]string{"archive/tar", "archive/zip", "compress/gzip"}, network...),
		"../store": network,
	} {
		out, err := exec.CommandContext(within(t), "go", "list", "-deps", folder).Output()
		if err != nil {
			t.Skip("needs: the go command: ", err)
		}
		linked := strings.Fields(string(out))
		for _, name := range heavy {
			if slices.Contains(linked, name) {
				t.Errorf("%s links %s", folder, name)
			}
		}
		if !slices.Contains(linked, "encoding/json") {
			t.Errorf("go list printed %s", out)
		}
	}
}
