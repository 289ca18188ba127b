package discovery_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// locked makes a lock file of plugins from a search.
func locked(t testing.TB, plugins ...discovery.Plugin) *lockfile.File {
	t.Helper()
	var lock lockfile.File
	for _, plugin := range plugins {
		sum, err := sums.OfFile(plugin.Path)
		if err != nil {
			t.Fatal(err)
		}
		lock.Set(lockfile.Entry{
			Key: lockfile.Key{Kind: plugin.Kind, Name: plugin.Name, Version: plugin.Version, Platform: discovery.ThisPlatform().String()},
			Sum: sum, Source: "https://example.com/" + plugin.Name,
		})
	}
	return &lock
}

func names(passed []discovery.Rejected) string {
	var names []string
	for _, p := range passed {
		names = append(names, p.ID.String())
	}
	return strings.Join(names, ", ")
}

func TestResolveTakesOnlyLockedPlugins(t *testing.T) {
	dir := t.TempDir()
	testkit.Put(t, dir, "greet-plugin-loud_v1.0.0", "one")
	testkit.Put(t, dir, "greet-plugin-loud_v2.0.0", "two")
	testkit.Put(t, dir, "greet-plugin-soft", "soft")
	found := testkit.Find(t, dir)
	resolver := discovery.Resolver{Lock: locked(t, found.Plugins[0])}

	got, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud"})
	if err != nil || got.Version.String() != "1.0.0" || got.Sum != sums.Of([]byte("one")) || got.Source != "https://example.com/loud" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if verifier := discovery.Verifier(got, checksum); fmt.Sprint(verifier) != "SHA-256 "+got.Sum.String() {
		t.Errorf("the verifier is %v", verifier)
	}
	_, err = resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud", Version: testkit.Constraint(t, ">= 2")})
	var none *discovery.NoneError
	if !errors.As(err, &none) || names(none.Rejected) != "loud 2.0.0, loud 1.0.0" {
		t.Fatalf("got %v", err)
	}
	if !errors.Is(none.Rejected[0].Err, discovery.ErrUnlocked) || !errors.Is(none.Rejected[1].Err, discovery.ErrVersion) {
		t.Errorf("got %v", err)
	}
	if _, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "soft"}); !errors.As(err, &none) {
		t.Errorf("got %v", err)
	}
	resolver.AllowUnlocked = true
	got, err = resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud"})
	if err != nil || got.Version.String() != "2.0.0" || !got.Sum.IsZero() {
		t.Errorf("got %+v, %v", got, err)
	}
	if verifier := discovery.Verifier(got, checksum); verifier != nil {
		t.Errorf("a verifier out of nowhere: %v", verifier)
	}
}

// checksum stands for core/host's, with an interface as its result too.
func checksum(hash crypto.Hash, sum []byte) fmt.Stringer {
	return bytes.NewBufferString(fmt.Sprintf("%v %x", hash, sum))
}

// To take an older one instead would let whoever can damage a file choose.
func TestResolveFailsForAWrongSumWhateverElseThereIs(t *testing.T) {
	dir := t.TempDir()
	testkit.Put(t, dir, "greet-plugin-loud_v1.0.0", "one")
	path := testkit.Put(t, dir, "greet-plugin-loud_v2.0.0", "two")
	found := testkit.Find(t, dir)
	resolver := discovery.Resolver{Lock: locked(t, found.Plugins...), AllowUnlocked: true}
	testkit.Put(t, dir, "greet-plugin-loud_v2.0.0", "TWO")

	_, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud"})
	var mismatch *sums.MismatchError
	if !errors.As(err, &mismatch) || mismatch.Path != path || mismatch.Want != sums.Of([]byte("two")) || mismatch.Got != sums.Of([]byte("TWO")) {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{"loud 2.0.0", mismatch.Want.String(), mismatch.Got.String()} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	got, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: "loud", Version: testkit.Constraint(t, "< 2")})
	if err != nil || got.Version.String() != "1.0.0" {
		t.Errorf("the other one: %+v, %v", got, err)
	}
}

func TestResolveKnowsAFileWithoutAVersionByItsSum(t *testing.T) {
	dir := t.TempDir()
	testkit.Put(t, dir, "greet-plugin-loud", "three")
	testkit.Put(t, dir, "greet-plugin-loud_v2.0.0", "two")
	found := testkit.Find(t, dir)
	lock := locked(t, found.Plugins[1])
	lock.Set(lockfile.Entry{
		Key: lockfile.Key{Name: "loud", Version: testkit.Version(t, "3.0.0"), Platform: "any_any"}, Sum: sums.Of([]byte("three")),
	})
	got, err := (&discovery.Resolver{Lock: lock}).Resolve(t.Context(), found, discovery.Request{Name: "loud", Version: testkit.Constraint(t, ">= 1")})
	if err != nil || got.Version.String() != "3.0.0" || got.Sum != sums.Of([]byte("three")) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestResolvePassesOverAPluginOfAnotherProtocol(t *testing.T) {
	dir := t.TempDir()
	testkit.Place(t, dir, "greet-plugin-good") // its description has version 1.4.0 and protocols 4 and 5
	found := testkit.Find(t, dir)
	resolver := discovery.Resolver{Lock: locked(t, found.Plugins...), Describer: &discovery.Describer{}}
	resolve := func(protocols []int, transports ...string) error {
		t.Helper()
		got, err := resolver.Resolve(testkit.Within(t), found, discovery.Request{
			Name: "good", Version: testkit.Constraint(t, "~> 1.4"), AppVersions: protocols, Transports: transports,
		})
		if err == nil && (got.Description == nil || got.Version.String() != "1.4.0") {
			t.Errorf("got %+v", got)
		}
		return err
	}
	for _, err := range []error{resolve(nil), resolve([]int{5}), resolve([]int{1, 4}), resolve([]int{5}, "grpc"), resolve([]int{4}, "netrpc")} {
		if err != nil {
			t.Error(err)
		}
	}
	for says, err := range map[string]error{
		"version [4 5], the host [6 7]":                 resolve([]int{6, 7}),
		"version 5 over grpc, the host over [netrpc]":   resolve([]int{4, 5}, "netrpc"), // they would agree on 5
		"version 4 over netrpc, the host over [grpc x]": resolve([]int{4}, "grpc", "x"),
	} {
		var none *discovery.NoneError
		var differ *discovery.IncompatibleError
		if !errors.As(err, &none) || !errors.As(none.Rejected[0].Err, &differ) || !strings.Contains(err.Error(), says) {
			t.Errorf("want %s: %v", says, err)
		}
	}
}

func TestResolvePassesOverAPluginThatRequiresAnotherHost(t *testing.T) {
	dir := t.TempDir()
	testkit.Place(t, dir, "greet-plugin-requires")
	found := testkit.Find(t, dir)
	resolver := discovery.Resolver{Describer: &discovery.Describer{}, Cache: new(discovery.Cache)}
	for version, fits := range map[string]bool{"": true, "2.1.0": true, "1.9.0": false, "3.0.0": false, "2.5.0-rc.1": false} {
		request := discovery.Request{Name: "requires"}
		if version != "" {
			request.HostVersion = testkit.Version(t, version)
		}
		got, err := resolver.Resolve(testkit.Within(t), found, request)
		if fits {
			if err != nil || got.Description.RequiresHost.String() != ">= 2, < 3" {
				t.Errorf("%s: got %+v, %v", version, got, err)
			}
			continue
		}
		var none *discovery.NoneError
		if !errors.As(err, &none) || !errors.Is(none.Rejected[0].Err, discovery.ErrHostVersion) || !strings.Contains(err.Error(), version) {
			t.Errorf("%s: got %v", version, err)
		}
	}
}

func TestResolvePassesOverAPluginThatDescribesAnotherVersion(t *testing.T) {
	dir := t.TempDir()
	testkit.Place(t, dir, "greet-plugin-good_v2.0.0")
	_, err := (&discovery.Resolver{Describer: &discovery.Describer{}}).Resolve(testkit.Within(t), testkit.Find(t, dir), discovery.Request{Name: "good"})
	var none *discovery.NoneError
	if !errors.As(err, &none) || !errors.Is(none.Rejected[0].Err, discovery.ErrVersionClaim) {
		t.Errorf("got %v", err)
	}
}

// A plugin built with another library knows no describe.
func TestResolveTakesAPluginWithoutADescription(t *testing.T) {
	dir := t.TempDir()
	testkit.Place(t, dir, "greet-plugin-exit_v1.0.0")
	got, err := (&discovery.Resolver{Describer: &discovery.Describer{}}).Resolve(testkit.Within(t), testkit.Find(t, dir),
		discovery.Request{Name: "exit", Version: testkit.Constraint(t, "~> 1.0"), AppVersions: []int{5}})
	var why *discovery.DescribeError
	if err != nil || got.Description != nil || !errors.As(got.NoDescription, &why) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestResolveRunsNothingBeforeItsSumWasFoundRight(t *testing.T) {
	dir := t.TempDir()
	testkit.Place(t, dir, "greet-plugin-good")
	found := testkit.Find(t, dir)
	lock := locked(t, discovery.Plugin{ID: discovery.ID{Name: "good"}, Path: testkit.Put(t, t.TempDir(), "other", "other")})
	for name, resolver := range map[string]*discovery.Resolver{
		"wrong sum": {Lock: lock, Describer: &discovery.Describer{}},
		"unlocked":  {Lock: new(lockfile.File), Describer: &discovery.Describer{}},
	} {
		cache := new(discovery.Cache)
		cache.InAnHour()
		resolver.Cache = cache
		if got, err := resolver.Resolve(testkit.Within(t), found, discovery.Request{Name: "good"}); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestOverrideForDevelopmentIsLoudAndUnchecked(t *testing.T) {
	dir := t.TempDir()
	path := testkit.Put(t, filepath.Join(dir, "build"), "loud", "new")
	testkit.Put(t, filepath.Join(dir, "user"), "greet-plugin-loud_v1.0.0", "old")
	var log bytes.Buffer
	search := discovery.Search{
		Naming:    discovery.Naming{App: "greet"},
		Overrides: []discovery.Override{{Name: "loud", Path: path}},
		Dirs:      []discovery.Dir{{Path: filepath.Join(dir, "user"), Origin: discovery.OriginUser}},
		Logger:    slog.New(slog.NewTextHandler(&log, nil)),
	}
	if strings.HasSuffix(path, ".exe") {
		search.Overrides[0].Path = path
	}
	found, err := search.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "level=WARN") || !strings.Contains(text, "development override") || strings.Count(text, "\n") != 1 {
		t.Errorf("logged %q", text)
	}
	search.Logger = nil
	before := slog.Default()
	defer slog.SetDefault(before)
	log.Reset()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	if _, err := search.Find(t.Context()); err != nil || !strings.Contains(log.String(), "development override") {
		t.Errorf("slog's default logger got %q, %v", log.String(), err)
	}
	got, err := (&discovery.Resolver{Lock: new(lockfile.File)}).Resolve(t.Context(), found, discovery.Request{Name: "loud", Version: testkit.Constraint(t, ">= 5")})
	if err != nil || got.Path != path || got.Origin != discovery.OriginDevelopment {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestResolveEndsWithTheContext(t *testing.T) {
	dir := t.TempDir()
	testkit.Place(t, dir, "greet-plugin-hang")
	found := testkit.Find(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&discovery.Resolver{Describer: &discovery.Describer{}}).Resolve(ctx, found, discovery.Request{Name: "hang"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := (discovery.Search{Naming: discovery.Naming{App: "greet"}, Dirs: []discovery.Dir{{Path: dir}}}).Find(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestResolveRunsNoPluginOfAFileSystem(t *testing.T) {
	dir := t.TempDir()
	testkit.Put(t, dir, "greet-plugin-loud_v1.0.0", "one")
	search := discovery.Search{Naming: discovery.Naming{App: "greet"}, Dirs: []discovery.Dir{{Path: "archive", FS: os.DirFS(dir)}}}
	found, err := search.Find(t.Context())
	if err != nil || len(found.Plugins) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	lock := locked(t, testkit.Find(t, dir).Plugins...)
	got, err := (&discovery.Resolver{Lock: lock, Describer: &discovery.Describer{}}).Resolve(t.Context(), found, discovery.Request{Name: "loud"})
	if err != nil || got.Sum != sums.Of([]byte("one")) || got.Description != nil || got.NoDescription != nil || !strings.HasPrefix(got.Path, "archive/") {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestResolveLogsAFallBackToAnotherPlugin(t *testing.T) {
	dir := t.TempDir()
	testkit.Place(t, dir, "greet-plugin-agrees_v1.4.0") // speaks 5
	testkit.Place(t, dir, "greet-plugin-agrees_v2.0.0") // its description has version 1.4.0
	testkit.Put(t, dir, "greet-plugin-agrees_v1.0.0", "older")
	testkit.Put(t, dir, "greet-plugin-agrees_v3.0.0", "not asked for")
	found := testkit.Find(t, dir)
	var log strings.Builder
	resolver := discovery.Resolver{Describer: &discovery.Describer{}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	got, err := resolver.Resolve(testkit.Within(t), found, discovery.Request{Name: "agrees", Version: testkit.Constraint(t, "< 3")})
	if err != nil || got.Version.String() != "1.4.0" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "agrees_v2.0.0") || !strings.Contains(text, "describes another version") {
		t.Errorf("logged %s", text)
	}
	log.Reset()
	if _, err := resolver.Resolve(testkit.Within(t), found, discovery.Request{Name: "agrees", Version: testkit.Constraint(t, "~> 1.4")}); err != nil || log.Len() > 0 {
		t.Errorf("%v, logged %s", err, &log)
	}
}

func TestResolveLogsAFileThatCannotRun(t *testing.T) {
	if !hasModes {
		t.Skip("only where a mode says what can be run")
	}
	dir := t.TempDir()
	testkit.Put(t, dir, "greet-plugin-loud_v1.0.0", "one")
	testkit.Put(t, dir, "greet-plugin-loud_v2.0.0_other_arch", "foreign")
	for _, name := range []string{"greet-plugin-loud_v0.9.0", "greet-plugin-loud_v2.0.0", "greet-plugin-loud_v3.0.0"} {
		if err := os.Chmod(testkit.Put(t, dir, name, "two"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	resolver := discovery.Resolver{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	got, err := resolver.Resolve(t.Context(), testkit.Find(t, dir), discovery.Request{Name: "loud", Version: testkit.Constraint(t, "< 3")})
	if err != nil || got.Version.String() != "1.0.0" {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, part := range []string{"plugin=loud", "version=2.0.0", "taken_version=1.0.0", "chmod +x"} {
		if strings.Count(log.String(), part) != 1 {
			t.Errorf("%q is not once in %s", part, &log)
		}
	}
	if strings.Count(log.String(), "level=WARN") != 1 {
		t.Errorf("logged %s", &log)
	}
}

// hasModes is whether a file's mode decides about running it.
var hasModes = discovery.ThisPlatform().OS != "windows"

func TestStrayFileDoesNotHideALockedPlugin(t *testing.T) {
	earlier, later := t.TempDir(), t.TempDir()
	testkit.Put(t, earlier, "greet-plugin-Loud_v9.0.0", "stray")
	testkit.Put(t, earlier, "greet-plugin-soft", "stray")
	loud := discovery.Plugin{ID: discovery.ID{Name: "loud", Version: testkit.Version(t, "1.0.0")}, Path: testkit.Put(t, later, "greet-plugin-loud_v1.0.0", "loud")}
	soft := discovery.Plugin{ID: discovery.ID{Name: "soft"}, Path: testkit.Put(t, later, "greet-plugin-soft", "soft")}
	testkit.Put(t, later, "greet-plugin-loud_v2.0.0", "unlocked")
	found := testkit.Find(t, earlier, later)
	lock := locked(t, loud)
	sum := sums.Of([]byte("soft"))
	lock.Set(lockfile.Entry{Key: lockfile.Key{Name: "soft", Version: testkit.Version(t, "1.0.0"), Platform: "any_any"}, Sum: sum})
	for name, want := range map[string]discovery.Plugin{"loud": loud, "soft": soft} {
		var log strings.Builder
		resolver := discovery.Resolver{Lock: lock, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		got, err := resolver.Resolve(t.Context(), found, discovery.Request{Name: name})
		if err != nil || got.Path != want.Path || got.Sum.IsZero() {
			t.Errorf("%s: got %+v, %v", name, got, err)
			continue
		}
		if !strings.Contains(log.String(), "in the way of a locked plugin") {
			t.Errorf("logged %s", &log)
		}
		if _, err := (&discovery.Resolver{Lock: lock}).Resolve(t.Context(), found, discovery.Request{Name: name}); err != nil {
			t.Errorf("%s, without a logger: %v", name, err)
		}
		if _, err := new(discovery.Resolver).Resolve(t.Context(), found, discovery.Request{Name: name, Version: testkit.Constraint(t, ">= 1")}); err == nil {
			t.Errorf("%s: a file that is hidden was taken without a lock", name)
		}
	}
	testkit.Put(t, later, "greet-plugin-loud_v1.0.0", "LOUD")
	var none *discovery.NoneError
	if _, err := (&discovery.Resolver{Lock: lock}).Resolve(t.Context(), found, discovery.Request{Name: "loud"}); !errors.As(err, &none) {
		t.Errorf("with another sum: got %v", err)
	}
}

func TestNoneErrorNamesThePlacesAndTheNearestName(t *testing.T) {
	dir, empty := t.TempDir(), t.TempDir()
	testkit.Put(t, dir, "greet-plugin-loud_v1.0.0", "one")
	testkit.Put(t, dir, "greet-plugin-something-else", "else")
	found := testkit.Find(t, dir, empty)
	for name, want := range map[string]string{"lout": "loud", "Loud": "loud", "lod": "loud", "luod": "loud", "something-els": "something-else", "unlike": "", "loud": ""} {
		_, err := new(discovery.Resolver).Resolve(t.Context(), found, discovery.Request{Name: name, Version: testkit.Constraint(t, ">= 2")})
		var none *discovery.NoneError
		if !errors.As(err, &none) || none.Nearest != want || len(none.Dirs) != 2 {
			t.Errorf("%s: got %+v", name, err)
			continue
		}
		if want != "" && (!strings.Contains(err.Error(), dir+", "+empty) || !strings.Contains(err.Error(), fmt.Sprintf("%q meant", want))) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	none := &discovery.NoneError{Request: discovery.Request{Name: strings.Repeat("x", 1<<20)}}
	for i := range 1000 {
		none.Dirs = append(none.Dirs, fmt.Sprint("/", i, strings.Repeat("\u202e", 5000)))
	}
	if text := none.Error(); len(text) > 100_000 || strings.Contains(text, "\u202e") || !strings.Contains(text, "and 992 more") {
		t.Errorf("%d bytes: %.300s", len(text), text)
	}
}
