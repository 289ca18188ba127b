package fetch_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"

	"github.com/jackfield-go/jackfield/discovery/fetch"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// signer has a key.
type signer struct {
	public string
	key    minisign.PrivateKey
}

func newSigner(t *testing.T) signer {
	t.Helper()
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{public: public.String(), key: private}
}

// sign signs as minisign does.
func (s signer) sign(name string, data []byte) []byte {
	reader := minisign.NewReader(bytes.NewReader(data))
	_, _ = io.Copy(io.Discard, reader)
	return reader.SignWithComments(s.key, "timestamp:1796005543\tfile:"+name+"\thashed", "signature from minisign secret key")
}

func scheme(t *testing.T, keys ...string) fetch.Scheme {
	t.Helper()
	s, err := fetch.Minisign(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignedReleaseIsInstalled(t *testing.T) {
	by := newSigner(t)
	data := release()[tarball]
	for title, prepare := range map[string]func(*world){
		"the list": func(w *world) {
			w.serve("/SHA256SUMS", list(tarball))
			w.serve("/SHA256SUMS.minisig", by.sign("SHA256SUMS", list(tarball)))
		},
		"the archive": func(w *world) { w.serve("/"+tarball+".minisig", by.sign(tarball, data)) },
		"the archive, beside a list": func(w *world) {
			w.serve("/SHA256SUMS", list(tarball))
			w.serve("/"+tarball+".minisig", by.sign(tarball, data))
		},
		"the second list": func(w *world) {
			w.serve("/SHA256SUMS", list(zipped))
			w.serve("/checksums.txt", list(tarball))
			w.serve("/checksums.txt.minisig", by.sign("checksums.txt", list(tarball)))
		},
		"all of it on another host": func(w *world) {
			w.elsewhere("/SHA256SUMS", list(tarball))
			w.elsewhere("/SHA256SUMS.minisig", by.sign("SHA256SUMS", list(tarball)))
			w.elsewhere("/"+tarball, data)
		},
		"the archive, all on another host": func(w *world) {
			w.elsewhere("/"+tarball+".minisig", by.sign(tarball, data))
			w.elsewhere("/"+tarball, data)
		},
	} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t)
			w.fetcher.Signatures = scheme(t, newSigner(t).public, by.public)
			prepare(w)
			item, err := w.install(t, tarball)
			w.installed(t, item, err)
		})
	}
}

func TestSignatureThatDoesNotHoldIsRefused(t *testing.T) {
	by, stranger := newSigner(t), newSigner(t)
	data := release()[tarball]
	lines := list(tarball)
	tampered := bytes.Replace(by.sign("SHA256SUMS", lines), []byte("timestamp:1796005543"), []byte("timestamp:1896005543"), 1)
	for title, test := range map[string]struct {
		sums, listSignature, fileSignature []byte
		reason                             string
	}{
		"a stranger's":                      {sums: lines, listSignature: stranger.sign("SHA256SUMS", lines), reason: "is not among the application's"},
		"of another list":                   {sums: lines, listSignature: by.sign("SHA256SUMS", list(zipped)), reason: "not of this content"},
		"of another file's name":            {sums: lines, listSignature: by.sign("OTHERSUMS", lines), reason: `"OTHERSUMS"`},
		"with another trusted comment":      {sums: lines, listSignature: tampered, reason: "not of this content"},
		"of the old form":                   {sums: lines, listSignature: minisign.Sign(by.key, lines), reason: "old form"},
		"no signature":                      {sums: lines, listSignature: []byte("<html>"), reason: "invalid signature"},
		"of another archive":                {fileSignature: by.sign(tarball, release()[zipped]), reason: "not of this content"},
		"of the archive of another version": {fileSignature: by.sign("greet-plugin-loud_1.3.0.tar.gz", data), reason: "1.3.0"},
		"of an archive, by a stranger":      {fileSignature: stranger.sign(tarball, data), reason: "is not among the application's"},
	} {
		t.Run(title, func(t *testing.T) {
			mark := filepath.Join(t.TempDir(), "ran")
			t.Setenv(markVariable, mark)
			w := newWorld(t)
			w.fetcher.Signatures = scheme(t, by.public)
			for path, data := range map[string][]byte{
				"/SHA256SUMS": test.sums, "/SHA256SUMS.minisig": test.listSignature, "/" + tarball + ".minisig": test.fileSignature,
			} {
				if data != nil {
					w.serve(path, data)
				}
			}
			item, err := w.install(t, tarball)
			w.refused(t, item, err, nil)
			var wrong *fetch.SignatureError
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the plugin was run: %v", err)
			}
		})
	}
}

// An old list with its signature, in the place of the new one, does not name the file.
func TestSignedListOfAnOldReleaseDoesNotNameTheNewFile(t *testing.T) {
	by := newSigner(t)
	w := newWorld(t)
	w.fetcher.Signatures = scheme(t, by.public)
	old := sums.List{{Name: "greet-plugin-loud_1.3.0.tar.gz", Sum: sums.Of(release()[tarball])}}.Format()
	w.serve("/SHA256SUMS", old)
	w.serve("/SHA256SUMS.minisig", by.sign("SHA256SUMS", old))
	item, err := w.install(t, tarball)
	w.refused(t, item, err, fetch.ErrUnsigned)
}

func TestUnsignedFileIsRefusedWhereSignaturesAreRequired(t *testing.T) {
	w := newWorld(t)
	w.fetcher.Signatures = scheme(t, newSigner(t).public)
	w.fetcher.AllowUnverified = true
	w.serve("/SHA256SUMS", list(tarball))
	item, err := w.install(t, tarball)
	w.refused(t, item, err, fetch.ErrUnsigned)
	item, err = w.fetcher.Install(within(t), w.store, fetch.Source{Location: w.server.URL + "/" + tarball}, store.InstallOptions{Want: sums.Of(release()[tarball])})
	w.refused(t, item, err, fetch.ErrUnsigned)
	if w.wasAsked("/" + tarball) {
		t.Error("it was downloaded")
	}

	file, sumsAt := filepath.Join(t.TempDir(), tarball), filepath.Join(t.TempDir(), "SHA256SUMS")
	for path, data := range map[string][]byte{file: release()[tarball], sumsAt: list(tarball)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	item, err = w.fetcher.Install(within(t), w.store, fetch.Source{Location: file, Sums: sumsAt}, store.InstallOptions{})
	w.refused(t, item, err, fetch.ErrUnsigned)
}

func TestSignedListMayBeAFile(t *testing.T) {
	by := newSigner(t)
	w := newWorld(t)
	w.fetcher.Signatures = scheme(t, by.public)
	file, sumsAt := filepath.Join(t.TempDir(), tarball), filepath.Join(t.TempDir(), "SHA256SUMS")
	for path, data := range map[string][]byte{file: release()[tarball], sumsAt: list(tarball), sumsAt + ".minisig": by.sign("SHA256SUMS", list(tarball))} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, location := range []string{file, w.server.URL + "/" + tarball} {
		item, err := w.fetcher.Install(within(t), w.store, fetch.Source{Location: location, Sums: sumsAt}, store.InstallOptions{})
		w.installed(t, item, err)
	}
}

// The files in testdata were made with minisign 0.11.
func TestSignaturesOfMinisignItselfHold(t *testing.T) {
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", "minisign", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	key := string(read("key.pub"))
	lines := strings.Split(strings.TrimSpace(key), "\n")
	for _, text := range []string{key, lines[1], strings.ReplaceAll(key, "\n", "\r\n")} {
		verify := scheme(t, text).Verify
		signed := fetch.Signed{Name: "SHA256SUMS", Content: bytes.NewReader(read("SHA256SUMS")), Signature: read("SHA256SUMS.minisig")}
		if err := verify(t.Context(), signed); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		signed.Content = strings.NewReader("another")
		if err := verify(t.Context(), signed); err == nil {
			t.Errorf("%q: another content is signed", text)
		}
		signed.Content, signed.Signature = bytes.NewReader(read("SHA256SUMS")), read("legacy.minisig")
		if err := verify(t.Context(), signed); err == nil || !strings.Contains(err.Error(), "old form") {
			t.Errorf("%q: the old form: %v", text, err)
		}
	}
	for _, keys := range [][]string{nil, {""}, {"RWQ"}, {key, "x"}} {
		if _, err := fetch.Minisign(keys...); err == nil {
			t.Errorf("%q are keys", keys)
		}
	}
}

func TestSignatureMayBeOfAnotherKind(t *testing.T) {
	w := newWorld(t)
	refused := errors.New("bad")
	w.fetcher.Signatures = fetch.Scheme{Suffix: ".sig", Verify: func(_ context.Context, signed fetch.Signed) error {
		data, err := io.ReadAll(signed.Content)
		if err != nil || string(signed.Signature) != signed.Name+" "+sums.Of(data).String() {
			return refused
		}
		return nil
	}}
	w.serve("/"+tarball+".sig", []byte(tarball+" "+sums.Of(release()[tarball]).String()))
	item, err := w.install(t, tarball)
	w.installed(t, item, err)
	item, err = w.fetcher.Install(within(t), w.store, fetch.Source{Location: w.server.URL + "/" + tarball}, store.InstallOptions{
		Verify: func(_ context.Context, file *os.File) error {
			if data, err := io.ReadAll(file); err != nil || !bytes.Equal(data, release()[tarball]) {
				t.Errorf("it sees %d bytes, %v", len(data), err)
			}
			return nil
		},
	})
	w.installed(t, item, err)

	w = newWorld(t)
	w.fetcher.Signatures = fetch.Scheme{Suffix: ".sig", Verify: func(context.Context, fetch.Signed) error { return refused }}
	w.serve("/"+tarball+".sig", []byte("x"))
	item, err = w.install(t, tarball)
	w.refused(t, item, err, refused)
}
