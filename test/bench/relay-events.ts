/** What the relay's bench sends: a shop's purchase with every identifier a checkout knows. */
import { makeRelayKey } from '../../shared/domain/relay-key.ts';

export const benchKey = makeRelayKey(Buffer.alloc(8, 7), Buffer.alloc(32, 7));
export const benchDatasetId = '1234567890123456';

/** Common ones of Turkey; half of them have letters outside a-z. */
const firstNames = (
  'Ayşe Fatma Emine Hatice Zeynep Elif Meryem Şerife Zehra Sultan Hanife Merve Havva Zeliha Esra Fadime Özlem Hacer ' +
  'Yasemin Hülya Cemile Sevim Gülsüm Dilek Büşra Sevgi Türkan Kübra Aysel Songül Gülay Mehmet Mustafa Ahmet Ali Hüseyin ' +
  'Hasan İbrahim İsmail Osman Yusuf Murat Ömer Ramazan Halil Süleyman Abdullah Mahmut Salih Kemal Recep Fatih Kadir Emre ' +
  'Hakan Adem Kenan Şükrü Yaşar Ümit Çetin Uğur Gökhan Oğuz'
).split(' ');

/** The same for families. */
const lastNames = (
  'Yılmaz Kaya Demir Çelik Şahin Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara Koç Kurt Özkan ' +
  'Şimşek Polat Korkmaz Çakır Erdoğan Yavuz Can Acar Şen Aktaş Güler Yalçın Güneş Bozkurt Bulut Keskin Ünal Turan Gül Özer ' +
  'Işık Kaplan Avcı Sarı Tekin Taş Köse Yüksel Ateş Aksoy Uçar'
).split(' ');

/**
 * A purchase of another person for each index: address, number and ids never repeat. Names, cities and birth dates do, as
 * in a shop's traffic, and the relay answers those from memory.
 */
export function purchase(index: number, nowSeconds: number): Record<string, unknown> {
  return {
    event_name: 'Purchase',
    event_time: nowSeconds - (index % 3_600),
    event_id: `order-${index}`,
    action_source: 'website',
    event_source_url: `https://shop.example.com/thanks?order=${index}`,
    user_data: {
      em: `Ayse.Yilmaz${index}@Example.com`,
      ph: `0532 ${String(100 + (index % 900))} ${String(10 + (index % 89))} ${String(10 + (index % 83))}`,
      fn: firstNames[index % firstNames.length],
      ln: lastNames[(index * 7) % lastNames.length],
      ge: 'f',
      db: `${1950 + (index % 55)}${String(1 + (index % 12)).padStart(2, '0')}${String(1 + (index % 28)).padStart(2, '0')}`,
      ct: 'İstanbul',
      st: 'Istanbul',
      zp: `34${String(100 + (index % 900))}`,
      country: 'TR',
      external_id: `customer-${index}`,
      client_ip_address: `85.105.${index % 250}.${(index % 249) + 1}`,
      client_user_agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1',
      fbp: `fb.1.1700000000000.${1_000_000 + index}`,
      fbc: `fb.1.1700000000000.IwAR${index}abcdefghijklmnop`,
    },
    custom_data: {
      currency: 'TRY',
      value: 129.9,
      content_type: 'product',
      contents: [{ id: `sku-${index % 500}`, quantity: 1, item_price: 129.9 }],
      order_id: `order-${index}`,
    },
  };
}
