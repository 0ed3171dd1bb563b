import billchain.Bytes;
import billchain.Sm2Key;
import java.nio.file.Path;

/** Prints the public key of a key file: {@code java Key FILE PASSWORD}. */
public final class Key {
    private Key() {}

    public static void main(String[] arguments) throws Exception {
        var key = Sm2Key.load(Path.of(arguments[0]), arguments[1].toCharArray());
        System.out.println(Bytes.hex(key.publicKey()).substring(2));
    }
}
