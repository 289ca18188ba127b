package fetch_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery/fetch"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// refusedRedirect checks that the reason is the redirect.
func (w *world) refusedRedirect(t *testing.T, item *store.Item, err error, reason string) {
	t.Helper()
	w.refused(t, item, err, nil)
	var redirect *fetch.RedirectError
	if !errors.As(err, &redirect) || !strings.Contains(redirect.Reason, reason) {
		t.Errorf("got %v, want %q", err, reason)
	}
}

// elsewhere makes the server redirect a path to the other server with the file.
func (w *world) elsewhere(path string, data []byte) {
	w.handle(path, redirect(w.other.URL+"/stored"+path))
	w.others["/stored"+path] = content(data)
}

func TestRedirectToAnotherHostNeedsAWordOfTheFirst(t *testing.T) {
	data := release()[tarball]
	for title, test := range map[string]struct {
		prepare func(*world)
		install store.InstallOptions
		reason  string // empty: it is installed
	}{
		"no list":                    {func(w *world) { w.fetcher.AllowUnverified = true }, store.InstallOptions{}, "another host"},
		"a list of the other host's": {func(w *world) { w.elsewhere("/SHA256SUMS", list(tarball)) }, store.InstallOptions{}, "another host"},
		"a list of the first host's": {func(w *world) { w.serve("/SHA256SUMS", list(tarball)) }, store.InstallOptions{}, ""},
		"the caller's sum":           {func(*world) {}, store.InstallOptions{Want: sums.Of(data)}, ""},
		"a host that is trusted too": {func(w *world) {
			w.elsewhere("/SHA256SUMS", list(tarball))
			w.fetcher.Hosts = []string{strings.TrimPrefix(w.other.URL, "https://")}
		}, store.InstallOptions{}, ""},
	} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t)
			w.elsewhere("/"+tarball, data)
			test.prepare(w)
			item, err := w.fetcher.Install(within(t), w.store, fetch.Source{Location: w.server.URL + "/" + tarball}, test.install)
			if test.reason == "" {
				w.installed(t, item, err)
				return
			}
			w.refusedRedirect(t, item, err, test.reason)
			if w.wasAsked("/stored/" + tarball) {
				t.Error("it was downloaded")
			}
		})
	}
}

// It cannot vouch for anything, and still can contradict.
func TestRedirectedListStillHasToFit(t *testing.T) {
	w := newWorld(t)
	w.elsewhere("/SHA256SUMS", list(tarball))
	item, err := w.install(t, tarball)
	w.installed(t, item, err)

	w = newWorld(t)
	w.elsewhere("/SHA256SUMS", sums.List{{Name: tarball, Sum: sums.Of(nil)}}.Format())
	item, err = w.install(t, tarball)
	w.refused(t, item, err, nil)
	var mismatch *sums.MismatchError
	if !errors.As(err, &mismatch) {
		t.Errorf("got %v", err)
	}
}

func TestRedirectOnTheSameHostIsFollowed(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(tarball))
	w.handle("/"+tarball, redirect("/moved"))
	w.handle("/moved", func(out http.ResponseWriter, request *http.Request) {
		if referer := request.Header.Get("Referer"); referer != "" {
			t.Errorf("it tells where it was: %s", referer)
		}
		content(release()[tarball])(out, request)
	})
	item, err := w.install(t, tarball+"?key=secret")
	w.installed(t, item, err)
}

func TestRedirectToPlainHTTPIsRefused(t *testing.T) {
	plain := httptest.NewServer(content(release()[tarball]))
	defer plain.Close()
	for _, allowed := range []bool{false, true} {
		w := newWorld(t)
		w.fetcher.AllowHTTP = allowed
		w.serve("/SHA256SUMS", list(tarball))
		w.handle("/"+tarball, redirect(plain.URL))
		item, err := w.install(t, tarball)
		w.refusedRedirect(t, item, err, "from https to plain http")
	}
	w := newWorld(t)
	w.handle("/SHA256SUMS", redirect(plain.URL))
	item, err := w.install(t, tarball)
	w.refusedRedirect(t, item, err, "from https to plain http")
	w.handle("/SHA256SUMS", redirect("ftp://example.com/SHA256SUMS"))
	item, err = w.install(t, tarball)
	w.refusedRedirect(t, item, err, "no https address")
}

func TestRedirectsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.serve("/SHA256SUMS", list(tarball))
	w.handle("/"+tarball, redirect("/"+tarball))
	item, err := w.install(t, tarball)
	w.refusedRedirect(t, item, err, "the limit of 5 redirects")

	w.handle("/"+tarball, redirect("/moved"))
	w.serve("/moved", release()[tarball])
	w.fetcher.MaxRedirects = -1
	item, err = w.install(t, tarball)
	w.refusedRedirect(t, item, err, "the limit of 0 redirects")
	w.fetcher.MaxRedirects = 1
	item, err = w.install(t, tarball)
	w.installed(t, item, err)
}
