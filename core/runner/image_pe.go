package runner

import (
	"debug/pe"
	"fmt"
)

// readPE reads a Windows program.
func readPE(c *content) (image, bool) {
	file, err := pe.NewFile(c)
	if err != nil {
		return image{}, false
	}
	img := image{path: c.path, os: "windows", archs: []string{peArch(file.Machine)}, size: c.size}
	if file.Characteristics&pe.IMAGE_FILE_DLL != 0 {
		img.kind = kindLibrary
	}
	for _, section := range file.Sections {
		img.need = max(img.need, int64(section.Offset)+int64(section.Size))
	}
	return img, true
}

// peArch names the architecture as GOARCH does, or else by its number.
func peArch(machine uint16) string {
	switch machine {
	case pe.IMAGE_FILE_MACHINE_I386:
		return "386"
	case pe.IMAGE_FILE_MACHINE_AMD64:
		return "amd64"
	case pe.IMAGE_FILE_MACHINE_ARM64:
		return "arm64"
	case pe.IMAGE_FILE_MACHINE_ARMNT, pe.IMAGE_FILE_MACHINE_ARM:
		return "arm"
	default:
		return fmt.Sprintf("machine %#x", machine)
	}
}
