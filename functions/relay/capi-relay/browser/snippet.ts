/**
 * What a client's developer pastes into every page, as high in the head as possible. Until `kobi.js` is there it keeps
 * calls, and gives each event that the page sends to the Meta Pixel its id, so that none leaves without one. The page
 * needs the relay for nothing: if the script never comes, the pixel works as before.
 */
export function snippet(scriptUrl: string): string {
  return `<script>
!function(w,d,k,f,s){if(w.kobi)return;k=w.kobi=function(){k.q.push(arguments)};k.q=[];k.u=location.href;
k.b=function(a,i,n){a=[].slice.call(a);if(/^track/.test(a[0])){i=/Single/.test(a[0])?4:3;
n=Date.now().toString(36)+Math.random().toString(36).slice(2);if(a[i-2]=='PageView')n=k.i=k.i||n;
a[i-1]=a[i-1]||{};a[i]=Object.assign({},a[i]);a[i].eventID=''+(a[i].eventID||n)}
k.q.push(['fbq'].concat(a));return a};
k.p=function(v,q){k.r=v;if(typeof v!='function')return v;q=v.queue;
if(q&&!v.callMethod)q.forEach(function(a,i){q[i]=k.b(a)});
return new Proxy(v,{apply:function(t,o,a){return t.apply(o,k.b(a))}})};
f=k.p(w.fbq);Object.defineProperty(w,'fbq',{configurable:!0,get:function(){return f},
set:function(v){if(v!==f)f=k.p(v)}});
s=d.createElement('script');s.async=!0;s.src='${scriptUrl}';d.head.appendChild(s)}(window,document);
</script>`;
}
