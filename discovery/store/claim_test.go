package store_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/semver"
	"github.com/jackfield-go/jackfield/discovery/store"
)

// nothingInstalled fails if the store has a file beyond its own.
func nothingInstalled(t *testing.T, s store.Store) {
	t.Helper()
	if _, err := os.Stat(s.Dir); errors.Is(err, os.ErrNotExist) {
		return
	}
	if got := files(t, s.Dir); got != "" {
		t.Errorf("there are %s", got)
	}
}

func TestInstallTakesAProgramThatAgrees(t *testing.T) {
	s := newStore(t)
	var stages []string
	item, err := s.Install(testkit.Within(t), testkit.Place(t, t.TempDir(), "greet-plugin-agrees"), store.InstallOptions{
		AppVersions: []int{4, 5}, Transports: []string{"grpc"},
		Progress: func(p store.Progress) {
			if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
				stages = append(stages, p.Stage)
			}
			if p.Done > p.Total {
				t.Errorf("progress %+v", p)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if item.Description == nil || item.Description.Name != "agrees" || strings.Join(stages, " ") != "copy describe" {
		t.Errorf("got %+v, stages %q", item, stages)
	}
	// Its own version completes a file name without one.
	if item.Version.String() != "1.4.0" || filepath.Base(item.Path) != "greet-plugin-agrees_v1.4.0"+suffix() {
		t.Errorf("got %+v", item)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInstallRefusesAContradictionWithBothSides(t *testing.T) {
	for title, test := range map[string]struct {
		file    string
		install store.InstallOptions
		want    store.ClaimError
		is      error
		differ  bool // in protocols
	}{
		"version": {
			file: "greet-plugin-agrees_v1.5.0", is: discovery.ErrVersionClaim,
			want: store.ClaimError{What: "version", Want: "1.5.0", Got: "1.4.0"},
		},
		"version, of another release tool's name": {
			file: "greet-plugin-agrees_1.5.0_x5.0" + strings.TrimSuffix(suffix(), ".exe"), is: discovery.ErrVersionClaim,
			want: store.ClaimError{What: "version", Want: "1.5.0", Got: "1.4.0"},
		},
		"name": {
			file: "greet-plugin-good_v1.4.0",
			want: store.ClaimError{What: "name", Want: "good", Got: "greeter"},
		},
		"protocol": {
			file: "greet-plugin-agrees", install: store.InstallOptions{AppVersions: []int{6, 7}}, differ: true,
			want: store.ClaimError{What: "compatibility", Want: "[6 7]", Got: "version [5]"},
		},
		"transport": {
			file: "greet-plugin-agrees", install: store.InstallOptions{AppVersions: []int{5}, Transports: []string{"netrpc"}}, differ: true,
			want: store.ClaimError{What: "compatibility", Want: "over [netrpc]", Got: "version 5 over grpc"},
		},
		"requirement": {
			file: "greet-plugin-requires", install: store.InstallOptions{HostVersion: testkit.Version(t, "3.0.0")}, is: discovery.ErrHostVersion,
			want: store.ClaimError{What: "host version", Want: "3.0.0", Got: ">= 2, < 3"},
		},
		"even where it need not describe itself": {
			file: "greet-plugin-agrees_v1.5.0", install: store.InstallOptions{Undescribed: true}, is: discovery.ErrVersionClaim,
			want: store.ClaimError{What: "version", Want: "1.5.0", Got: "1.4.0"},
		},
	} {
		t.Run(title, func(t *testing.T) {
			s := newStore(t)
			path := testkit.Place(t, t.TempDir(), test.file)
			_, err := s.Install(testkit.Within(t), path, test.install)
			var claim *store.ClaimError
			if !errors.As(err, &claim) || claim.What != test.want.What || claim.Want != test.want.Want || claim.Got != test.want.Got || claim.Path != path {
				t.Fatalf("got %+v, %v", claim, err)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("got %v", err)
			}
			if differ := new(discovery.IncompatibleError); errors.As(err, &differ) != test.differ {
				t.Errorf("got %v", err)
			}
			for _, part := range []string{claim.Want, claim.Got, path} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s is not in %v", part, err)
				}
			}
			nothingInstalled(t, s)
		})
	}
}

// core/plugin answers so for a plugin without a name of its own.
func TestMainPackagesNameClaimsNothing(t *testing.T) {
	s := newStore(t)
	item, err := s.Install(testkit.Within(t), testkit.Place(t, t.TempDir(), "greet-plugin-unset"), store.InstallOptions{AppVersions: []int{5}})
	if err != nil || item.Description.Name != "main" {
		t.Errorf("got %+v, %v", item, err)
	}
}

func TestInstallTakesAnUndescribedProgramOnlyOnRequest(t *testing.T) {
	s := newStore(t)
	path := testkit.Place(t, t.TempDir(), "greet-plugin-exit")
	var silent *discovery.DescribeError
	if _, err := s.Install(testkit.Within(t), path, store.InstallOptions{}); !errors.As(err, &silent) || silent.Path != path || strings.Contains(err.Error(), "jackfield-tmp") {
		t.Fatalf("got %v", err)
	}
	nothingInstalled(t, s)
	if item, err := s.Install(testkit.Within(t), path, store.InstallOptions{Undescribed: true}); err != nil || item.Description != nil {
		t.Errorf("got %+v, %v", item, err)
	}
	// A program that does not start does not answer either, and the error names no
	// internal file.
	garbage := testkit.Put(t, t.TempDir(), "greet-plugin-garbage", "no program")
	if _, err := s.Install(testkit.Within(t), garbage, store.InstallOptions{}); !errors.As(err, &silent) || strings.Contains(err.Error(), "jackfield-tmp") {
		t.Errorf("got %v", err)
	}
}

func TestInstallRefusesAProgramThatRewritesItself(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where a program that runs can be removed")
	}
	s := newStore(t)
	if _, err := s.Install(testkit.Within(t), testkit.Place(t, t.TempDir(), "greet-plugin-rewrites"), store.InstallOptions{}); !errors.Is(err, discovery.ErrChanged) {
		t.Errorf("got %v", err)
	}
	nothingInstalled(t, s)
}

// elf, mach and pe are heads of programs.
func elf(class, order, system byte, machine uint16) string {
	head := make([]byte, 64)
	copy(head, "\x7fELF")
	head[4], head[5], head[6], head[7] = class, order, 1, system
	if order == 2 {
		binary.BigEndian.PutUint16(head[18:], machine)
	} else {
		binary.LittleEndian.PutUint16(head[18:], machine)
	}
	return string(head)
}

func mach(processor uint32) string {
	head := binary.LittleEndian.AppendUint32(nil, 0xfeedfacf)
	return string(binary.LittleEndian.AppendUint32(head, processor)) + strings.Repeat("\x00", 24)
}

func fat(processors ...uint32) string {
	head := binary.BigEndian.AppendUint32(nil, 0xcafebabe)
	head = binary.BigEndian.AppendUint32(head, uint32(len(processors)))
	for _, processor := range processors {
		head = append(binary.BigEndian.AppendUint32(head, processor), make([]byte, 16)...)
	}
	return string(head)
}

func pe(machine uint16) string {
	head := make([]byte, 0x98)
	copy(head, "MZ")
	head[0x3c] = 0x80
	copy(head[0x80:], "PE\x00\x00")
	binary.LittleEndian.PutUint16(head[0x84:], machine)
	return string(head)
}

// Such a program is never run: the store is another platform's.
func TestHeadOfAProgramMustFitThePlatform(t *testing.T) {
	for _, test := range []struct{ content, platform, got string }{
		{elf(2, 1, 0, 62), "linux_amd64", ""},
		{elf(2, 1, 3, 62), "linux_amd64", ""},
		{elf(2, 1, 0, 183), "linux_arm64", ""},
		{elf(1, 1, 0, 40), "linux_arm", ""},
		{elf(2, 2, 0, 22), "linux_s390x", ""},
		{elf(2, 1, 9, 62), "freebsd_amd64", ""},
		{elf(2, 1, 0, 12345), "linux_odd", ""}, // an unknown processor
		{mach(12 | 1<<24), "darwin_arm64", ""},
		{fat(7|1<<24, 12|1<<24), "darwin_arm64", ""},
		{pe(0x8664), "windows_amd64", ""},
		{"#!/bin/sh\n", "linux_amd64", ""},
		{"", "linux_amd64", ""},
		{"\x7fELF", "linux_amd64", ""},
		{"MZ", "windows_amd64", ""},
		{"\xca\xfe\xba\xbe\x00\x00\x00\x34" + strings.Repeat("\x00", 2000), "linux_amd64", ""}, // a Java class

		{elf(2, 1, 0, 183), "linux_amd64", "linux_arm64"},
		{elf(2, 1, 0, 62), "windows_amd64", "linux_amd64"},
		{elf(2, 1, 0, 62), "darwin_amd64", "linux_amd64"},
		{elf(2, 1, 9, 62), "linux_amd64", "freebsd_amd64"},
		{elf(2, 2, 0, 21), "linux_ppc64le", "linux_ppc64"},
		{elf(2, 1, 0, 12345), "windows_odd", "linux_?"},
		{mach(7 | 1<<24), "darwin_arm64", "darwin_amd64"},
		{mach(7 | 1<<24), "linux_amd64", "darwin_amd64"},
		{fat(7|1<<24, 12|1<<24), "linux_amd64", "darwin_amd64+arm64"},
		{pe(0xaa64), "windows_amd64", "windows_arm64"},
		{pe(0x8664), "linux_amd64", "windows_amd64"},
	} {
		platform, _ := discovery.ParsePlatform(test.platform)
		s := newStore(t)
		s.Platform = platform
		_, err := s.InstallFrom(testkit.Within(t), strings.NewReader(test.content), store.InstallOptions{
			ID: discovery.ID{Name: "x", Version: testkit.Version(t, "1.0.0")}, Undescribed: platform == discovery.ThisPlatform(),
		})
		var claim *store.ClaimError
		switch {
		case test.got == "" && err != nil:
			t.Errorf("%.8q for %s: %v", test.content, test.platform, err)
		case test.got != "" && (!errors.As(err, &claim) || claim.What != "platform" || claim.Want != test.platform || claim.Got != test.got):
			t.Errorf("%.8q for %s: %v", test.content, test.platform, err)
		}
	}
}

func TestInstallForAnotherPlatformRunsNothing(t *testing.T) {
	s := newStore(t)
	s.Platform = discovery.Platform{OS: "windows", Arch: "arm64"}
	if discovery.ThisPlatform() == s.Platform {
		s.Platform.Arch = "amd64"
	}
	machine := map[string]uint16{"arm64": 0xaa64, "amd64": 0x8664}[s.Platform.Arch]
	item, err := s.InstallFrom(testkit.Within(t), strings.NewReader(pe(machine)), store.InstallOptions{File: "greet-plugin-loud_1.0.0_" + s.Platform.String() + ".exe"})
	if err != nil || filepath.Ext(item.Path) != ".exe" || item.Description != nil {
		t.Fatalf("got %+v, %v", item, err)
	}
	if got := states(t, s); got != "loud 1.0.0 ok" {
		t.Errorf("listed %s", got)
	}
	if removed, err := s.Remove(t.Context(), "", "loud", semver.Constraint{}); err != nil || len(removed) != 1 {
		t.Errorf("%+v, %v", removed, err)
	}
	lock, err := lockfile.Read(s.LockPath())
	if err != nil || len(lock.Entries()) != 0 {
		t.Errorf("%v, %v", lock.Entries(), err)
	}
}
